import ArgumentParser
import Runtime

/// How commands that do not serve reach a log: as `serve` does, from the same flags, environment and file.
struct LogOptions: ParsableArguments {
  @Option(help: "A YAML file with settings.")
  var config: String?
  @Option(help: "A property of librdkafka as name=value, such as those for TLS; may be repeated.")
  var kafkaProperty: [String] = []

  /// - Parameter log: which log, when the command line says so.
  func settings(
    of log: String?, over changes: [String: String] = [:]
  ) async throws -> Settings {
    var flags = changes
    if let log { flags["log"] = log }
    if !kafkaProperty.isEmpty { flags["kafka-properties"] = kafkaProperty.joined(separator: "\n") }
    return try await Settings(flags: flags, file: config)
  }
}
