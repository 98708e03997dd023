// swift-tools-version: 6.3
import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "signalbox",
  products: [
    .executable(name: "signalbox", targets: ["signalbox"]),
    .library(name: "Events", targets: ["Events"]),
    .library(name: "EventStorage", targets: ["EventStorage"]),
    .library(name: "Projections", targets: ["Projections"]),
    .library(name: "PropertyTesting", targets: ["PropertyTesting"]),
    .library(name: "EventLaws", targets: ["EventLaws"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    .package(
      url: "https://github.com/apple/swift-configuration", from: "1.4.0",
      traits: ["CommandLineArguments", "YAML"]),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.35.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(
      url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    // Facts and contracts: no I/O, no clock, no randomness.
    .target(
      name: "Events",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      swiftSettings: strict),
    .target(name: "EventStorage", swiftSettings: strict),
    // One header: asks for memory ahead of its use.
    .target(name: "CPrefetch"),
    .target(
      name: "Projections",
      dependencies: [
        "CPrefetch", "Events", "EventStorage",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "HeapModule", package: "swift-collections"),
      ],
      swiftSettings: strict),

    .target(
      name: "Decisions", dependencies: ["Events", "Projections"], swiftSettings: strict),

    // Test kit: what users check their own folds with.
    .target(name: "PropertyTesting", swiftSettings: strict),
    .target(
      name: "EventLaws",
      dependencies: ["Events", "EventStorage", "Projections", "PropertyTesting"],
      swiftSettings: strict),

    // Adapters: one foreign thing each.
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "CISAL", pkgConfig: "libisal", providers: [.apt(["libisal-dev"])]),
    .target(
      name: "SegmentStorage",
      dependencies: [
        "EventStorage", "CLZ4", "CISAL", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict + [.strictMemorySafety()]),
    .systemLibrary(
      name: "CRdKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
    .target(
      name: "KafkaStorage", dependencies: ["EventStorage", "CRdKafka"],
      swiftSettings: strict + [.strictMemorySafety()]),
    .target(
      name: "Gateway",
      dependencies: [
        "Events", "EventStorage", "Projections",
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),

    // Shell and program.
    .target(
      name: "Runtime",
      dependencies: [
        "Decisions", "Events", "EventStorage", "Projections", "SegmentStorage", "KafkaStorage",
        "Gateway",
        .product(name: "Configuration", package: "swift-configuration"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      ],
      resources: [.embedInCode("Pages/boards.html")],
      swiftSettings: strict),
    .target(
      name: "Simulation",
      dependencies: [
        "Decisions", "Events", "EventStorage", "Gateway", "KafkaStorage", "SegmentStorage",
        "Projections", "PropertyTesting",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: strict),
    .systemLibrary(name: "CLinux"),
    .systemLibrary(
      name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .target(
      name: "Benchmarks",
      dependencies: [
        "Events", "EventStorage", "SegmentStorage", "KafkaStorage", "Projections", "CISAL", "CLZ4",
        "CLinux", "CRdKafka", "CSQLite",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "signalbox",
      dependencies: [
        "Benchmarks", "Events", "EventStorage", "Gateway", "Projections", "PropertyTesting",
        "Runtime", "Simulation",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOFoundationCompat", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),

    // Fuzzing: what is said about any bytes, and the program that says it of libFuzzer's.
    .target(
      name: "FuzzTargets",
      dependencies: [
        "Events", "EventStorage", "Gateway", "Projections", "PropertyTesting", "SegmentStorage",
        .product(name: "Crypto", package: "swift-crypto"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: strict),
    .executableTarget(name: "fuzz", dependencies: ["FuzzTargets"], swiftSettings: strict),

    // Tests.
    .target(
      name: "ChildProcesses", dependencies: ["CLinux"], path: "Tests/ChildProcesses",
      swiftSettings: strict),
    .target(
      name: "EventLogContract", dependencies: ["EventStorage"], path: "Tests/EventLogContract",
      swiftSettings: strict),
    .testTarget(name: "ArchitectureTests", swiftSettings: strict),
    .testTarget(
      name: "BenchmarksTests",
      dependencies: ["Benchmarks", "EventStorage", "KafkaStorage", "SegmentStorage"],
      swiftSettings: strict),
    .testTarget(
      name: "FuzzTests", dependencies: ["FuzzTargets", "PropertyTesting"], swiftSettings: strict),
    .testTarget(
      name: "EventsTests",
      dependencies: [
        "Events", "PropertyTesting", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EventStorageTests", dependencies: ["EventLogContract", "EventStorage"],
      swiftSettings: strict),
    .testTarget(
      name: "PropertyTestingTests", dependencies: ["PropertyTesting"], swiftSettings: strict),
    .testTarget(
      name: "EventLawsTests",
      dependencies: ["EventLaws", "EventStorage", "Projections", "PropertyTesting"],
      swiftSettings: strict),
    .testTarget(
      name: "SegmentStorageTests",
      dependencies: [
        "ChildProcesses", "EventLaws", "EventLogContract", "EventStorage", "PropertyTesting",
        "SegmentStorage",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "KafkaStorageTests",
      dependencies: [
        "CRdKafka", "ChildProcesses", "EventLaws", "EventLogContract", "EventStorage", "Events",
        "KafkaStorage", "Projections", "PropertyTesting", "SegmentStorage",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ProjectionsTests",
      dependencies: [
        "Events", "EventStorage", "Projections",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "DecisionsTests",
      dependencies: ["Decisions", "Events", "EventStorage", "Projections", "PropertyTesting"],
      swiftSettings: strict),
    .testTarget(
      name: "SimulationTests", dependencies: ["PropertyTesting", "SegmentStorage", "Simulation"],
      swiftSettings: strict),
    .testTarget(
      name: "GatewayTests",
      dependencies: [
        "EventLogContract", "EventStorage", "Events", "Gateway", "Projections",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOEmbedded", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "RuntimeTests",
      dependencies: [
        "Events", "EventStorage", "Projections", "Runtime", "SegmentStorage",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "CommandLineTests", dependencies: ["ChildProcesses", "signalbox"],
      swiftSettings: strict),
    .testTarget(
      name: "ScenarioTests", dependencies: ["ChildProcesses", "signalbox"], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
