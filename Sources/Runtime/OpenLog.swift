import EventStorage
import Foundation
import KafkaStorage
import Logging
import SegmentStorage

/// Opens the log that the settings name, or makes it.
func openLog(_ settings: Settings, _ logger: Logger) throws -> any EventLog {
  switch settings.log {
  case .memory:
    return MemoryLog(
      identity: LogIdentity(UInt64.random(in: 0...UInt64.max)),
      layout: LogLayout(partitions: settings.partitions ?? 2))
  case .file(let path):
    var options = SegmentedLog.Options()
    options.partitions = settings.partitions
    options.segmentBytes = settings.segmentBytes
    options.compression = settings.compression == "none" ? .none : options.compression
    options.maintenanceInterval = .seconds(settings.compactionSeconds)
    options.maintenanceChanged = { failure in
      if let failure {
        logger.error(
          "\(path) is served and not compacted: \(failure); it is tried again every \(settings.compactionSeconds) s"
        )
      } else {
        logger.notice("\(path) is compacted again")
      }
    }
    return try SegmentedLog(opening: path, options: options)
  case .kafka(let brokers, let prefix):
    return try KafkaLog(settings.kafkaOptions(brokers, prefix))
  case .recording(let path):
    throw SettingsFailure(
      description:
        "recording:\(path) can be replayed, not served; `signalbox demo --recording \(path)` plays it"
    )
  }
}

extension Settings {
  /// How every command opens a log on Kafka.
  func kafkaOptions(_ brokers: String, _ prefix: String) -> KafkaLog.Options {
    var options = KafkaLog.Options(brokers: brokers)
    options.prefix = prefix
    options.partitions = partitions
    options.replicationFactor = replicationFactor
    options.properties = kafkaProperties
    options.appendTimeout = .seconds(appendTimeoutSeconds)
    return options
  }
}

/// Milliseconds since 1970, as the machine's clock has it.
@Sendable package func wallClock() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
