/// A log in memory, with the semantics of the one on disk. For tests, for `memory:`, and for the simulator.
///
/// Everything appended is kept until it is compacted or trimmed. A completion is called on the thread that appends,
/// before `append` returns. Fencing takes an offset, so that offsets have holes here as they have elsewhere.
public final class MemoryLog: EventLog {
  /// As it was given.
  public let identity: LogIdentity
  /// As it was given.
  public let layout: LogLayout
  private let partitions: [Partition: Monitor<MemoryPartition>]

  /// An empty log.
  public init(identity: LogIdentity, layout: LogLayout) {
    self.identity = identity
    self.layout = layout
    partitions = Dictionary(
      uniqueKeysWithValues: layout.all.map { ($0, Monitor(MemoryPartition())) })
  }

  /// Answers on the calling thread, before it returns.
  public func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    completion(
      Result { () throws(LogError) in
        let held = try held(partition)
        try batch.checkLimits()
        let records = MemoryBatch(batch.records)
        return try held.change { partition throws(LogError) in
          try partition.append(records, as: batch)
        }
      })
  }

  /// The next life of the writer; an offset is used up.
  public func fence(writer id: Int64, in partition: Partition) async throws(LogError) -> Writer {
    try held(partition).change { partition throws(LogError) in
      try partition.fence(writer: id)
    }
  }

  /// The start moves by `trim`, the horizon by `compact`.
  public func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    try held(partition).withLock { partition throws(LogError) in
      try partition.checkOpen()
      return partition.bounds
    }
  }

  /// Lends the batches as they were appended, without a copy, while others append and read.
  public func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    let (batches, next) = try held(partition).withLock { held throws(LogError) in
      try held.select(from: offset, bytesMax: bytesMax, of: partition)
    }
    for batch in batches { batch.lend(from: offset, to: &sink) }
    return next
  }

  /// Counts 32 bytes a record besides its key and value: what it takes in memory.
  public func tailStart(of partition: Partition, bytesMax: Int) throws(LogError) -> Offset {
    try held(partition).withLock { partition throws(LogError) in
      try partition.tailStart(bytesMax: bytesMax)
    }
  }

  /// Sleeps until an append, `close` or the end of the time.
  public func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool {
    guard let held = partitions[partition] else { return false }
    _ = held.wait(for: duration) { $0.isClosed || $0.end > offset }
    return held.withLock { !$0.isClosed && $0.end > offset }
  }

  /// Lets go of every record.
  public func close() {
    for partition in layout.all { partitions[partition]?.change { $0.close() } }
  }

  /// Retention: lets go of everything before `offset`.
  /// - Throws: `.noSuchPartition`, `.beyondEnd`, `.closed`.
  public func trim(_ partition: Partition, before offset: Offset) throws(LogError) {
    try held(partition).change { held throws(LogError) in
      try held.trim(before: offset, of: partition)
    }
  }

  /// Compaction: before `cleanPoint` the last record of each key stays, before `horizon` no tombstone does.
  /// - Throws: `.noSuchPartition`, `.beyondEnd`, `.closed`.
  public func compact(
    _ partition: Partition, before cleanPoint: Offset, dropTombstonesBefore horizon: Offset
  ) throws(LogError) {
    try held(partition).change { held throws(LogError) in
      try held.compact(before: cleanPoint, dropTombstonesBefore: horizon, of: partition)
    }
  }

  private func held(_ partition: Partition) throws(LogError) -> Monitor<MemoryPartition> {
    guard let held = partitions[partition] else { throw .noSuchPartition(partition) }
    return held
  }
}
