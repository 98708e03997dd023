import EventStorage
import SegmentStorage

/// A log on disk full of synthetic events, in batches of a thousand, compressed.
enum SyntheticLog {
  static let batchRecords = 1000
  static let channels = 100_000
  static let seed: UInt64 = 20_240_101

  /// Makes the log, the same number of events in every partition of the messages.
  static func make(_ folder: String, events: Int, partitions: Int) async throws -> SegmentedLog {
    var options = SegmentedLog.Options()
    options.partitions = partitions
    options.maintenanceInterval = nil
    let log = try SegmentedLog(opening: folder, options: options)
    for index in 0..<partitions {
      var generator = SyntheticEvents(seed: seed + UInt64(index), channels: channels)
      var left = events / partitions
      while left > 0 {
        let batch = generator.batch(of: min(batchRecords, left))
        left -= batch.records.count
        _ = try await log.append(batch, to: Partition(.messages, index))
      }
    }
    return log
  }

  /// The same batches for a rival.
  static func forEachBatch(
    events: Int, seed: UInt64, _ body: (AppendBatch) throws -> Void
  ) rethrows {
    var generator = SyntheticEvents(seed: seed, channels: channels)
    var left = events
    while left > 0 {
      let batch = generator.batch(of: min(batchRecords, left))
      left -= batch.records.count
      try body(batch)
    }
  }
}
