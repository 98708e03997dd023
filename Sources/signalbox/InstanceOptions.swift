import ArgumentParser
import Runtime

/// The settings of an instance as flags.
struct InstanceOptions: ParsableArguments {
  @Option(help: "A YAML file with settings.")
  var config: String?
  @Option(
    help: "The log: file:FOLDER, kafka://HOST:PORT?prefix=NAME or memory: (default file:./data).")
  var log: String?
  @Option(help: "The address to listen on (default 127.0.0.1).")
  var host: String?
  @Option(help: "The port to listen on; 0 takes a free one (default 8080).")
  var port: String?
  @Option(help: "Partitions of a log that is made now, 1 to 256 (default 2).")
  var partitions: String?
  @Option(
    help:
      "On Kafka: copies of topics that are made now; with 3, two at least have what is acknowledged."
  )
  var replicationFactor: String?
  @Option(help: "How batches are stored: lz4 or none (default lz4).")
  var compression: String?
  @Option(help: "Bytes of a segment file (default 67108864).")
  var segmentBytes: String?
  @Option(help: "Seconds between compactions (default 30).")
  var compactionSeconds: String?
  @Option(help: "Origins whose pages may call: a list with commas, or * (default none).")
  var allowedOrigins: String?
  @Option(help: "Seconds between heartbeats on a stream (default 15).")
  var heartbeatSeconds: String?
  @Option(help: "What streams tell a browser to wait before it comes back (default 2000).")
  var retryMilliseconds: String?
  @Option(help: "The most connections at once (default 20000).")
  var connectionsMax: String?
  @Option(help: "The largest message, in bytes (default 1048576).")
  var bodyBytesMax: String?
  @Option(help: "Seconds until a new connection must have sent its request's headers (default 10).")
  var headerTimeoutSeconds: String?
  @Option(help: "Seconds between snapshots of the projections (default 60).")
  var snapshotSeconds: String?
  @Option(
    help: "The folder of snapshots; on Kafka there is none unless given, each instance its own.")
  var snapshots: String?
  @Option(help: "On Kafka: seconds until a partition that no client needs is let go (default 60).")
  var partitionIdleSeconds: String?
  @Option(help: "On Kafka: seconds that a write may wait before it is refused (default 10).")
  var appendTimeoutSeconds: String?
  @Option(help: "A property of librdkafka as name=value, such as those for TLS; may be repeated.")
  var kafkaProperty: [String] = []
  @Option(help: "trace, debug, info, notice, warning or error (default notice).")
  var logLevel: String?

  func settings(over changes: [String: String] = [:]) async throws -> Settings {
    let given: [(String, String?)] = [
      ("log", log), ("host", host), ("port", port), ("partitions", partitions),
      ("replication-factor", replicationFactor),
      ("compression", compression), ("segment-bytes", segmentBytes),
      ("compaction-seconds", compactionSeconds), ("allowed-origins", allowedOrigins),
      ("heartbeat-seconds", heartbeatSeconds), ("retry-milliseconds", retryMilliseconds),
      ("connections-max", connectionsMax), ("body-bytes-max", bodyBytesMax),
      ("header-timeout-seconds", headerTimeoutSeconds), ("snapshot-seconds", snapshotSeconds),
      ("snapshots", snapshots), ("partition-idle-seconds", partitionIdleSeconds),
      ("append-timeout-seconds", appendTimeoutSeconds), ("log-level", logLevel),
    ]
    var flags = changes
    for case (let name, let value?) in given { flags[name] = value }
    if !kafkaProperty.isEmpty { flags["kafka-properties"] = kafkaProperty.joined(separator: "\n") }
    return try await Settings(flags: flags, file: config)
  }
}
