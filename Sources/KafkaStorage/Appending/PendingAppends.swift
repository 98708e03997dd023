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
    /// What was heard of it last.
    var trouble: String?
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
    /// None before this one is waiting.
    var oldest: UInt64 = 1
    var isClosed = false

    mutating func take(_ number: UInt64) -> Pending? {
      guard let taken = pending.removeValue(forKey: number) else { return nil }
      bytes[taken.partition, default: 0] -= taken.bytes
      if let key = taken.batch.idempotencyKey {
        let claim = InFlight(partition: taken.partition, key: key)
        if keys[claim] == number { keys[claim] = nil }
      }
      return taken
    }
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

  /// Something was heard of it that does not answer it.
  func note(_ number: UInt64, _ trouble: String) {
    state.withLock { $0.pending[number]?.trouble = trouble }
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
    let pending = state.change { $0.take(number) }
    for completion in pending?.completions ?? [] { completion(result) }
  }

  /// Answers those whose deadline has passed with what is known of them.
  ///
  /// - Parameter trouble: what went wrong in a partition.
  /// - Returns: when the next deadline passes, or could at the earliest.
  func answerOverdue(_ trouble: (Partition) -> String?) -> ContinuousClock.Instant {
    let now = ContinuousClock.now
    let (overdue, next) = state.change { state -> ([Pending], ContinuousClock.Instant) in
      var overdue: [Pending] = []
      // All have the same time, so deadlines rise with the numbers.
      while state.oldest <= state.last {
        if let deadline = state.pending[state.oldest]?.deadline, deadline > now {
          return (overdue, deadline)
        }
        if let pending = state.take(state.oldest) { overdue.append(pending) }
        state.oldest += 1
      }
      return (overdue, now + timeout)
    }
    for pending in overdue {
      let detail =
        "no answer within \(timeout)"
        + ((pending.trouble ?? trouble(pending.partition)).map { ": \($0)" } ?? "")
      let result: Result<Appended, LogError>
      if let first = pending.reported, pending.batch.idempotencyKey != nil {
        // Another instance may have appended it before, and all tries are answered with one position (law 18).
        result = .failure(
          .outcomeUnknown(
            detail: "it was appended at \(first), and could not be read back: \(detail)"))
      } else if let first = pending.reported {
        let end = Offset(first.rawValue + Int64(pending.batch.records.count))
        result = .success(Appended(first: first, end: end))
      } else {
        result = .failure(
          pending.isUnsent ? .unavailable(detail: detail) : .outcomeUnknown(detail: detail))
      }
      for completion in pending.completions { completion(result) }
    }
    return next
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
