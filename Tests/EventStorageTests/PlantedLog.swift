import EventStorage

/// A mistake that a log might make.
enum Fault: String, CaseIterable, Sendable {
  case none
  case forgetsIdempotencyKeys
  case ignoresFences
  case emptiesTombstones
  case losesARecord
  case doublesABatch
  case tearsBatches
  case reordersBatches
  case rereadsTheBatch
  case readsOverTheLimit
  case sticksAtALowLimit
  case hidesTheNewest
  case showsTooEarly
  case mixesPartitions
  case invertsTime
  case readsBehindTheEnd
  case waitsForNothing
  case neverWaits
  case keepsGoingAfterClose
  case takesLargeBatches
  case tailIsAlwaysEmpty
  case forgetsOnRestart
}

/// The log in memory with one mistake, and with a `close` that a new one can follow, as after a restart.
final class PlantedLog: EventLog {
  let identity: LogIdentity
  let layout: LogLayout
  let fault: Fault
  let base: MemoryLog
  private let state = Monitor(State())

  private struct State: Sendable {
    var isClosed = false
    var appends = 0
  }

  init(_ fault: Fault, over base: MemoryLog? = nil) {
    self.base =
      base ?? MemoryLog(identity: LogIdentity(7), layout: LogLayout(partitions: 2))
    identity = self.base.identity
    layout = self.base.layout
    self.fault = fault
  }

  /// The log after a restart.
  func reopened() -> PlantedLog {
    close()
    return PlantedLog(fault, over: fault == .forgetsOnRestart ? nil : base)
  }

  func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    let closed = state.withLock { state in
      state.appends += 1
      return state.isClosed && fault != .keepsGoingAfterClose
    }
    if closed { return completion(.failure(.closed)) }
    var batch = batch
    var target = partition
    switch fault {
    case .forgetsIdempotencyKeys where batch.idempotencyKey?.utf8.count ?? 0 < 100:
      batch.idempotencyKey = nil
    case .ignoresFences: batch.writer = nil
    case .emptiesTombstones:
      for index in batch.records.indices where batch.records[index].value == nil {
        batch.records[index].value = []
      }
    case .losesARecord where batch.records.count > 2: batch.records.removeLast()
    case .reordersBatches: batch.records.reverse()
    case .invertsTime: batch.timestamp = -batch.timestamp
    case .takesLargeBatches where batch.records.count > LogLimits.batchRecordsMax:
      batch.records = Array(batch.records.prefix(LogLimits.batchRecordsMax))
    case .mixesPartitions where partition.index == 1 && layout.partitions > 1:
      target = Partition(partition.topic, 0)
    case .doublesABatch: base.append(batch, to: target) { _ in }
    case .tearsBatches where (4...1_000).contains(batch.records.count):
      var half = batch
      half.records = Array(batch.records.prefix(3))
      batch.records.removeFirst(3)
      base.append(half, to: target) { _ in }
    case .showsTooEarly:
      let records = batch.records.count
      let end = (try? base.bounds(of: target).end) ?? .zero
      if records > 50 {
        completion(.success(Appended(first: end, end: Offset(end.rawValue + Int64(records)))))
        return
      }
    default: break
    }
    base.append(batch, to: target, completion: completion)
  }

  func fence(writer id: Int64, in partition: Partition) async throws(LogError) -> Writer {
    try checkOpen()
    return try await base.fence(writer: id, in: partition)
  }

  func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    try checkOpen()
    var bounds = try base.bounds(of: partition)
    if fault == .hidesTheNewest, bounds.end > .zero { bounds.end.rawValue -= 1 }
    return bounds
  }

  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    try checkOpen()
    var offset = offset
    let bounds = try base.bounds(of: partition)
    switch fault {
    case .rereadsTheBatch where offset.rawValue % 2 == 1: offset.rawValue -= 1
    case .readsOverTheLimit:
      return try base.read(partition, from: offset, bytesMax: .max, into: &sink)
    case .sticksAtALowLimit where bytesMax == 0: return offset
    case .readsBehindTheEnd where offset > bounds.end: return offset
    default: break
    }
    return try base.read(partition, from: offset, bytesMax: bytesMax, into: &sink)
  }

  func tailStart(of partition: Partition, bytesMax: Int) throws(LogError) -> Offset {
    try checkOpen()
    let bounds = try base.bounds(of: partition)
    return fault == .tailIsAlwaysEmpty
      ? bounds.end : try base.tailStart(of: partition, bytesMax: bytesMax)
  }

  func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool {
    if fault == .waitsForNothing { return true }
    if fault == .neverWaits { return false }
    guard (try? base.bounds(of: partition)) != nil else { return false }
    // Wakes on both: an append to the base, and the close of this log, every few milliseconds.
    let end = ContinuousClock.now.advanced(by: duration)
    while true {
      if state.withLock({ $0.isClosed }) { return false }
      let left = end - ContinuousClock.now
      if base.waitForRecords(in: partition, after: offset, for: min(left, .milliseconds(5))) {
        return true
      }
      if left <= .zero { return false }
    }
  }

  func close() { state.change { $0.isClosed = true } }

  private func checkOpen() throws(LogError) {
    if fault != .keepsGoingAfterClose, state.withLock({ $0.isClosed }) { throw .closed }
  }
}
