import Synchronization

/// A log in memory, with the semantics of the one on disk. For tests, for `memory:`, and for the simulator.
public final class MemoryLog: EventLog {
  public let identity: LogIdentity
  public let layout: LogLayout
  private let partitions: Mutex<[Partition: MemoryPartition]>

  /// An empty log.
  public init(identity: LogIdentity, layout: LogLayout) {
    self.identity = identity
    self.layout = layout
    partitions = Mutex(
      Dictionary(uniqueKeysWithValues: layout.all.map { ($0, MemoryPartition()) }))
  }

  public func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    completion(
      partitions.withLock { all -> Result<Appended, LogError> in
        guard all[partition] != nil else { return .failure(.noSuchPartition(partition)) }
        return .success(all[partition, default: MemoryPartition()].append(batch))
      })
  }

  public func fence(writer id: Int64, in partition: Partition) async throws(LogError) -> Writer {
    Writer(id: id, epoch: 0)
  }

  public func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    guard let held = partitions.withLock({ $0[partition] }) else {
      throw .noSuchPartition(partition)
    }
    return LogBounds(start: .zero, end: held.end, tombstoneHorizon: .zero)
  }

  public func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    guard let held = partitions.withLock({ $0[partition] }) else {
      throw .noSuchPartition(partition)
    }
    guard offset <= held.end else { throw .beyondEnd(partition, end: held.end) }
    if offset == held.end { return offset }
    var bytes: [UInt8] = []
    var rows: [RecordRow] = []
    for record in held.records where record.offset >= offset {
      let keyStart = bytes.count
      bytes += record.record.key
      let valueStart = bytes.count
      bytes += record.record.value ?? []
      rows.append(
        RecordRow(
          offset: record.offset, timestamp: record.timestamp, keyStart: Int32(keyStart),
          keyLength: Int32(record.record.key.count), valueStart: Int32(valueStart),
          valueLength: record.record.value.map { Int32($0.count) } ?? -1))
    }
    sink.apply(bytes.span.bytes, rows.span, next: held.end)
    return held.end
  }

  public func tailStart(of partition: Partition, bytesMax: Int) throws(LogError) -> Offset { .zero }

  public func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool {
    partitions.withLock { ($0[partition]?.end ?? .zero) > offset }
  }

  public func close() {}
}

private struct MemoryPartition {
  struct Held {
    var offset: Offset
    var timestamp: Int64
    var record: NewRecord
  }

  var records: [Held] = []
  var end: Offset = .zero
  var newestTime: Int64 = 0

  mutating func append(_ batch: AppendBatch) -> Appended {
    let first = end
    newestTime = max(newestTime, batch.timestamp)
    for record in batch.records {
      records.append(Held(offset: end, timestamp: newestTime, record: record))
      end = Offset(end.rawValue + 1)
    }
    return Appended(first: first, end: end)
  }
}
