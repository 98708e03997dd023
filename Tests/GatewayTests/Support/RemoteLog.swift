import EventLogContract
import EventStorage
import Synchronization

/// A log behind a network that can be cut: while it is, appends are refused and what was appended elsewhere is not seen.
final class RemoteLog: ForwardingLog {
  /// The log itself, which others reach.
  let base: MemoryLog
  private let cut = Mutex<(bounds: [Partition: LogBounds], at: ContinuousClock.Instant)?>(nil)

  /// Every wait for records ends with one, as where something happens all the time.
  private let isBusy: Bool

  init(_ log: MemoryLog, isBusy: Bool = false) {
    base = log
    self.isBusy = isBusy
  }

  func cutOff() throws(LogError) {
    var bounds: [Partition: LogBounds] = [:]
    for partition in layout.all { bounds[partition] = try base.bounds(of: partition) }
    cut.withLock { $0 = (bounds, .now) }
  }

  func reconnect() { cut.withLock { $0 = nil } }

  func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    guard cut.withLock({ $0 == nil }) else {
      return completion(.failure(.unavailable(detail: "the network is cut")))
    }
    base.append(batch, to: partition, completion: completion)
  }

  func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    if let bounds = cut.withLock({ $0?.bounds[partition] }) { return bounds }
    return try base.bounds(of: partition)
  }

  func age(of partition: Partition) -> Duration? {
    cut.withLock { $0.map { .now - $0.at } } ?? .zero
  }

  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    if let end = cut.withLock({ $0?.bounds[partition]?.end }), offset >= end {
      throw .unavailable(detail: "the network is cut")
    }
    return try base.read(partition, from: offset, bytesMax: bytesMax, into: &sink)
  }

  func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool {
    base.waitForRecords(in: partition, after: offset, for: isBusy ? .milliseconds(1) : duration)
      || isBusy
  }
}
