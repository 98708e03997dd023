import Configuration
import Logging
import Synchronization
import SystemPackage

/// How an instance runs: flags over environment (`SIGNALBOX_…`) over a YAML file over the defaults below.
package struct Settings: Sendable {
  package var log: LogURL
  /// Whether somebody chose it, anywhere.
  package var isLogChosen: Bool
  package var host: String
  package var port: Int
  /// Partitions of a log that is made now; an existing one keeps its own.
  package var partitions: Int?
  /// Copies that brokers keep of topics that are made now; nil leaves it to them.
  package var replicationFactor: Int?
  package var compression: String
  package var segmentBytes: Int
  package var compactionSeconds: Int
  /// Origins that browsers may call from; `*` for any.
  package var allowedOrigins: [String]
  package var heartbeatSeconds: Int
  package var retryMilliseconds: Int
  package var connectionsMax: Int
  package var bodyBytesMax: Int
  package var headerTimeoutSeconds: Int
  package var snapshotSeconds: Int
  /// The folder of snapshots; empty for the one beside a log in files, and for none beside others.
  package var snapshots: String
  /// Seconds after which an instance lets go of a partition on Kafka that none of its clients needs.
  package var partitionIdleSeconds: Int
  /// Seconds that a write may wait for Kafka before it is refused.
  package var appendTimeoutSeconds: Int
  package var logLevel: String
  /// Properties of librdkafka for a log on Kafka. Written as `name=value`, one to a line.
  package var kafkaProperties: [String: String]

  /// The names, as flags and in YAML; in the environment `SIGNALBOX_ALLOWED_ORIGINS` and so on.
  private static let defaults: [String: ConfigValue] = [
    "log": "file:./data",
    "host": "127.0.0.1",
    "port": 8080,
    "partitions": 0,
    "replication-factor": 0,
    "compression": "lz4",
    "segment-bytes": 67_108_864,
    "compaction-seconds": 30,
    "allowed-origins": "",
    "heartbeat-seconds": 15,
    "retry-milliseconds": 2000,
    "connections-max": 20_000,
    "body-bytes-max": 1_048_576,
    "header-timeout-seconds": 10,
    "snapshot-seconds": 60,
    "snapshots": "",
    "partition-idle-seconds": 60,
    "append-timeout-seconds": 10,
    "log-level": "notice",
    "kafka-properties": "",
  ]

  /// Reads the settings.
  ///
  /// - Parameters:
  ///   - flags: what the command line gave, by name.
  ///   - file: the path of a YAML file, or nil for none.
  package init(flags: [String: String], file: String?) async throws(SettingsFailure) {
    do {
      var providers: [any ConfigProvider] = [
        InMemoryProvider(
          name: "flags",
          values: Dictionary(
            uniqueKeysWithValues: flags.map {
              (AbsoluteConfigKey([$0.key]), Settings.value($0.value, for: $0.key))
            })),
        EnvironmentVariablesProvider().prefixKeys(with: "signalbox"),
      ]
      if let file {
        providers.append(try await Settings.provider(readingFile: file))
      }
      isLogChosen = ConfigReader(providers: providers).string(forKey: "log") != nil
      providers.append(
        InMemoryProvider(
          name: "defaults",
          values: Dictionary(
            uniqueKeysWithValues: Settings.defaults.map { (AbsoluteConfigKey([$0.key]), $0.value) })
        ))
      let reader = ConfigReader(providers: providers)
      log = try LogURL(reader.requiredString(forKey: "log"))
      host = try reader.requiredString(forKey: "host")
      port = try reader.requiredInt(forKey: "port")
      let partitions = try reader.requiredInt(forKey: "partitions")
      self.partitions = partitions == 0 ? nil : partitions
      let replicationFactor = try reader.requiredInt(forKey: "replication-factor")
      self.replicationFactor = replicationFactor == 0 ? nil : replicationFactor
      compression = try reader.requiredString(forKey: "compression")
      segmentBytes = try reader.requiredInt(forKey: "segment-bytes")
      compactionSeconds = try reader.requiredInt(forKey: "compaction-seconds")
      allowedOrigins = try Settings.origins(reader.requiredString(forKey: "allowed-origins"))
      heartbeatSeconds = try reader.requiredInt(forKey: "heartbeat-seconds")
      retryMilliseconds = try reader.requiredInt(forKey: "retry-milliseconds")
      connectionsMax = try reader.requiredInt(forKey: "connections-max")
      bodyBytesMax = try reader.requiredInt(forKey: "body-bytes-max")
      headerTimeoutSeconds = try reader.requiredInt(forKey: "header-timeout-seconds")
      snapshotSeconds = try reader.requiredInt(forKey: "snapshot-seconds")
      snapshots = try reader.requiredString(forKey: "snapshots")
      partitionIdleSeconds = try reader.requiredInt(forKey: "partition-idle-seconds")
      appendTimeoutSeconds = try reader.requiredInt(forKey: "append-timeout-seconds")
      logLevel = try reader.requiredString(forKey: "log-level")
      kafkaProperties = try Settings.properties(reader.requiredString(forKey: "kafka-properties"))
    } catch let failure as SettingsFailure {
      throw failure
    } catch {
      throw SettingsFailure(description: "configuration: \(error)")
    }
    try check()
  }

  private func check() throws(SettingsFailure) {
    let ranges: [(String, Int, ClosedRange<Int>)] = [
      ("port", port, 0...65_535),
      ("partitions", partitions ?? 1, 1...256),
      ("replication-factor", replicationFactor ?? 1, 1...32),
      ("segment-bytes", segmentBytes, 65_536...(1 << 30)),
      ("compaction-seconds", compactionSeconds, 1...86_400),
      ("heartbeat-seconds", heartbeatSeconds, 1...3600),
      ("retry-milliseconds", retryMilliseconds, 0...3_600_000),
      ("connections-max", connectionsMax, 1...1_000_000),
      ("body-bytes-max", bodyBytesMax, 1...(4 << 20) - 4096),
      ("header-timeout-seconds", headerTimeoutSeconds, 1...3600),
      ("snapshot-seconds", snapshotSeconds, 1...86_400),
      ("partition-idle-seconds", partitionIdleSeconds, 1...86_400),
      ("append-timeout-seconds", appendTimeoutSeconds, 1...300),
    ]
    for (name, value, range) in ranges where !range.contains(value) {
      throw SettingsFailure(
        description:
          "configuration: \(name) is \(value); it must be from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    guard ["lz4", "none"].contains(compression) else {
      throw SettingsFailure(
        description: "configuration: compression is “\(compression)”; it must be lz4 or none")
    }
    guard Logger.Level(rawValue: logLevel) != nil else {
      let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
      throw SettingsFailure(
        description: "configuration: log-level is “\(logLevel)”; it must be one of \(levels)")
    }
  }

  /// The settings of a YAML file. A name that is none is an error: it may be a setting misspelt, which then would not hold.
  private static func provider(readingFile file: String) async throws -> any ConfigProvider {
    let names = Names()
    // A provider tells nobody which names it has read, but it asks of each whether its value is a secret.
    let options = YAMLSnapshot.ParsingOptions(
      secretsSpecifier: .dynamic { name, _ in
        names.add(name)
        return name == "kafka-properties"
      })
    let provider = try await FileProvider<YAMLSnapshot>(
      parsingOptions: options, filePath: FilePath(file))
    if let unknown = names.all.sorted().first(where: { defaults[$0] == nil }) {
      throw SettingsFailure(
        description: "configuration: \(file) sets “\(unknown)”, which is no setting; there are "
          + defaults.keys.sorted().joined(separator: ", "))
    }
    return provider
  }

  /// Names that a file has.
  private final class Names: Sendable {
    private let names = Mutex<Set<String>>([])

    var all: Set<String> { names.withLock { $0 } }
    func add(_ name: String) { names.withLock { _ = $0.insert(name) } }
  }

  /// Origins as browsers send them: anything else would never be met.
  private static func origins(_ text: String) throws(SettingsFailure) -> [String] {
    let origins = text.split(separator: ",").map { String($0.filter { !$0.isWhitespace }) }
    for origin in origins where origin != "*" {
      let parts = origin.split(separator: "://", omittingEmptySubsequences: false)
      guard parts.count == 2, !parts[0].isEmpty, !parts[1].isEmpty, origin == origin.lowercased(),
        !parts[1].contains(where: { "/?#@".contains($0) })
      else {
        throw SettingsFailure(
          description:
            "configuration: allowed-origins has “\(origin)”; write an origin as browsers send it: "
            + "https://example.org or http://localhost:3000, in small letters, without anything behind it"
        )
      }
    }
    guard origins.count == 1 || !origins.contains("*") else {
      throw SettingsFailure(
        description:
          "configuration: allowed-origins has * among others; write * alone, or only the others")
    }
    return origins
  }

  /// Properties of librdkafka, one `name=value` to a line.
  package static func properties(_ text: String) throws(SettingsFailure) -> [String: String] {
    var properties: [String: String] = [:]
    for line in text.split(separator: "\n") {
      guard let equals = line.firstIndex(of: "="), equals != line.startIndex else {
        // Not the line itself: it may be a password.
        throw SettingsFailure(
          description: "configuration: kafka-properties has a line that is not name=value")
      }
      let name = line[..<equals].filter { !$0.isWhitespace }
      properties[name] = String(line[line.index(after: equals)...].drop(while: \.isWhitespace))
    }
    return properties
  }

  /// A flag is text; the provider wants the type that the default has.
  private static func value(_ text: String, for key: String) -> ConfigValue {
    if case .int? = defaults[key]?.content, let number = Int(text) {
      return ConfigValue(.int(number), isSecret: false)
    }
    return ConfigValue(.string(text), isSecret: false)
  }
}

/// Settings that cannot be used; one line that says which and what to do.
package struct SettingsFailure: Error, CustomStringConvertible {
  package let description: String
}
