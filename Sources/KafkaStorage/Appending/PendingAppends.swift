internal import EventStorage

/// The appends that have not been answered yet.
///
/// An append is answered when its records come back from the broker, committed: that is when they are durable and everybody can
/// read them. Whatever else is heard of it (a report, an error) only says what can no longer happen.
final class PendingAppends: Sendable {
  typealias Completion = @Sendable (Result<Appended, LogError>) -> Void

  struct Pending {
    let batch: AppendBatch
    let partition: Partition
    let bytes: Int
    let deadline: ContinuousClock.Instant
    /// Nothing of it has been handed to librdkafka.
    var isUnsent = true
    /// Where the broker has reported it, before it was read.
    var reported: Offset?
    var completions: [Completion]
  }

  private struct InFlight: Hashable {
    var partition: Partition
    var key: String
  }

  private struct State {
    var pending: [UInt64: Pending] = [:]
    var bytes: [Partition: Int] = [:]
    var keys: [InFlight: UInt64] = [:]
    var last: UInt64 = 0
    var isClosed = false
  }

  /// Drawn for this instance of the log: appends of others are told apart by it.
  let instance: UInt64
  private let timeout: Duration
  private let state = Monitor<State>(State())

  init(instance: UInt64, timeout: Duration) {
    self.instance = instance
    self.timeout = timeout
  }

  /// Takes an append in, or says why not.
  func admit(
    _ batch: AppendBatch, to partition: Partition, _ completion: @escaping Completion
  ) throws(LogError) -> UInt64 {
    let bytes = batch.records.reduce(0) { $0 + $1.byteCount }
    return try state.withLock { state throws(LogError) in
      if state.isClosed { throw .closed }
      let waiting = state.bytes[partition, default: 0] + bytes
      guard waiting <= LogLimits.pendingBytesMax else {
        throw .tooLarge(
          what: "batches that wait to become durable in \(partition)", size: waiting,
          limit: LogLimits.pendingBytesMax)
      }
      state.bytes[partition] = waiting
      state.last += 1
      state.pending[state.last] = Pending(
        batch: batch, partition: partition, bytes: bytes, deadline: .now + timeout,
        completions: [completion])
      return state.last
    }
  }

  /// Nil when it has been answered.
  subscript(number: UInt64) -> Pending? { state.withLock { $0.pending[number] } }

  func id(of number: UInt64) -> AppendHeader.ID {
    AppendHeader.ID(instance: instance, number: number)
  }

  /// From now on its records may be on their way. False when it has been answered.
  func markSent(_ number: UInt64) -> Bool {
    state.withLock {
      $0.pending[number]?.isUnsent = false; return $0.pending[number] != nil
    }
  }

  func markReported(_ number: UInt64, at offset: Offset) {
    state.withLock { $0.pending[number]?.reported = offset }
  }

  /// Claims the idempotency key for this append. When another append under way has it, this one shares its answer.
  /// - Returns: whether the key is this append's.
  func claimKey(of number: UInt64) -> Bool {
    state.withLock { state in
      guard let pending = state.pending[number], let key = pending.batch.idempotencyKey else {
        return true
      }
      let claim = InFlight(partition: pending.partition, key: key)
      guard let first = state.keys[claim], first != number, state.pending[first] != nil else {
        state.keys[claim] = number
        return true
      }
      let shared = pending.completions.map { completion -> Completion in
        { result in
          completion(result.map { Appended(first: $0.first, end: $0.end, isRepeat: true) })
        }
      }
      state.pending[first]?.completions += shared
      state.pending[number] = nil
      state.bytes[pending.partition, default: 0] -= pending.bytes
      return false
    }
  }

  /// Answers an append, once: later answers are too late and do nothing.
  func answer(_ number: UInt64, _ result: Result<Appended, LogError>) {
    let pending = state.change { state -> Pending? in
      guard let pending = state.pending.removeValue(forKey: number) else { return nil }
      state.bytes[pending.partition, default: 0] -= pending.bytes
      if let key = pending.batch.idempotencyKey {
        let claim = InFlight(partition: pending.partition, key: key)
        if state.keys[claim] == number { state.keys[claim] = nil }
      }
      return pending
    }
    for completion in pending?.completions ?? [] { completion(result) }
  }

  /// No more are admitted.
  /// - Returns: false when that was so before.
  func close() -> Bool {
    state.change { state in
      defer { state.isClosed = true }
      return !state.isClosed
    }
  }

  /// Waits until all are answered.
  func waitUntilEmpty(for duration: Duration) -> Bool {
    state.wait(for: duration) { $0.pending.isEmpty }
  }

  /// Those that are waiting, with what is known of them.
  var all: [(number: UInt64, pending: Pending)] {
    state.withLock { $0.pending.map { ($0.key, $0.value) } }
  }

  func hasPending(in partition: Partition) -> Bool {
    state.withLock { ($0.bytes[partition] ?? 0) > 0 }
  }
}
