import Testing

@Suite struct ManifestTests {
  private func manifest(_ targets: String) throws -> Manifest {
    try Manifest(
      """
      import PackageDescription
      let strict: [SwiftSetting] = [.enableUpcomingFeature("X")]
      let package = Package(
        name: "p",
        products: [.library(name: "A", targets: ["A"])],
        dependencies: [.package(url: "https://x/y", from: "1.0.0", traits: [])],
        targets: [
          \(targets)
        ],
        swiftLanguageModes: [.v6]
      )
      """)
  }

  @Test func `targets and their arrows are read`() throws {
    let found = try manifest(
      """
      // A comment with .target(name: "No").
      .target(name: "A", swiftSettings: strict + [.strictMemorySafety()]),
      .systemLibrary(name: "C", pkgConfig: "c", providers: [.apt(["c-dev"])]),
      .executableTarget(name: "b", dependencies: ["A", .product(name: "P", package: "y"),
        .target(name: "C"), .byName(name: "D"),]),
      .target(name: "Kit", dependencies: ["A"], path: "Tests/Kit"),
      .testTarget(name: "ATests", dependencies: ["A", "Kit"]),
      """)
    #expect(found.targets.map(\.name) == ["A", "C", "b", "Kit", "ATests"])
    #expect(
      found.targets.map(\.dependencies) == [[], [], ["A", "C", "D"], ["A"], ["A", "Kit"]])
    #expect(
      found.targets.map(\.path) == [
        "Sources/A", "Sources/C", "Sources/b", "Tests/Kit", "Tests/ATests",
      ])
    #expect(found.targets.map(\.isTest) == [false, false, false, true, true])
    #expect(found.targets.map(\.line) == [9, 10, 11, 13, 14])
  }

  @Test(arguments: [
    #".plugin(name: "A")"#,
    #""A""#,
    #".target(dependencies: [])"#,
    #".target(name: name)"#,
    #".target(name: "A", dependencies: shared)"#,
    #".target(name: "A", dependencies: ["B"] + shared)"#,
    #".target(name: "A", dependencies: [shared])"#,
    #".target(name: "A", path: folder)"#,
    #".target(name: "A") { }"#,
    #".target(name: "A", dependencies: names.map { .byName(name: $0) })"#,
    #".target(name: "A" "B")"#,
  ])
  func `what cannot be read for certain is refused`(_ target: String) {
    #expect(throws: Breach.self) { try manifest(target) }
  }

  @Test func `targets that are added later are refused`() {
    #expect(throws: Breach.self) { try Manifest("let package = Package(name: \"p\")") }
    #expect(throws: Breach.self) { try Manifest("let names = [\"A\"]") }
    #expect(throws: Breach.self) {
      try Manifest("let a = Package(targets: [])\nlet b = Package(targets: [])")
    }
    #expect(throws: Breach.self) {
      try Manifest("let p = Package(targets: [])\np.targets.append(.target(name: \"A\"))")
    }
  }
}
