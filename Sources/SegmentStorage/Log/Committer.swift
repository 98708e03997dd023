internal import EventStorage
internal import Glibc

/// Writes what waits: one batch, one write, one sync for all appends that have gathered (group commit).
///
/// Sendable because one thread at a time runs it: the commit thread from its start to its end or, when there is none, whoever asks
/// for a commit or closes the log.
final class Committer: @unchecked Sendable {
  private typealias Completion = @Sendable (Result<Appended, LogError>) -> Void

  /// Fewer than so many are not worth waiting for, and nothing is worth waiting longer for.
  private static let gatheringMin = 8
  private static let gatheringMax = Duration.microseconds(200)

  private let monitor: Monitor<PartitionLog.State>
  private var writer: SegmentWriter
  private var memory: AppendMemory
  private var encoder: BatchEncoder
  private var stopped: LogError?
  private let health: LogHealth
  private let isReadOnly: Bool

  /// How many operations came together last, and how long the writing of the last batch took.
  private var lastTogether = 0
  /// Of the last turn; they no longer wait, but still count until the next look at what does.
  private var answeredBytes = 0
  private var lastWrite = Duration.zero

  /// The appends that will share the next batch.
  private var group: [AppendBatch] = []
  private var completions: [Completion] = []
  private var groupRecords = 0
  private var groupBytes = 0
  /// Keys of the group, and where in it they are.
  private var groupKeys: [String: Int] = [:]
  /// Appends that repeat one of the group.
  private var repeats: [(index: Int, completion: Completion)] = []

  init(
    _ found: PartitionRecovery, at place: PartitionPlace, options: SegmentedLog.Options,
    monitor: Monitor<PartitionLog.State>, health: LogHealth
  ) {
    self.monitor = monitor
    self.health = health
    isReadOnly = options.isReadOnly
    memory = found.memory
    encoder = BatchEncoder(check: place.check, compression: options.compression)
    writer = SegmentWriter(
      found, at: place, segmentBytes: options.segmentBytes, monitor: monitor)
  }

  /// The life of the commit thread: until the log is closed and nothing waits.
  func run() {
    monitor.withLock { $0.commitThread = pthread_self() }
    while waitForWork() {
      gather()
      takeTurn()
    }
    finish()
  }

  /// False once the log is closed and nothing waits.
  private func waitForWork() -> Bool {
    monitor.waitForWork { state -> Bool? in
      settle(&state)
      if !state.waiting.isEmpty { return true }
      return state.isClosed ? false : nil
    } ?? false
  }

  /// Performs everything that waits now, and answers it.
  /// - Returns: how many operations that was.
  @discardableResult
  func takeTurn() -> Int {
    let operations = monitor.withLock { state in
      settle(&state)
      defer { state.waiting = [] }
      return state.waiting
    }
    guard !operations.isEmpty else { return 0 }
    stopped = stopped ?? health.failure
    lastTogether = operations.count
    for operation in operations {
      perform(operation)
      answeredBytes += operation.bytes
    }
    flush()
    if stopped == nil { writer.makeRoom() }
    return operations.count
  }

  /// Makes room for as much as the last turn answered.
  private func settle(_ state: inout PartitionLog.State) {
    state.waitingBytes -= answeredBytes
    answeredBytes = 0
  }

  /// Gives those who were answered together a moment to come back together. Otherwise the first of them gets a sync of its
  /// own, and all others wait for that one and for the next. A lone writer never waits.
  private func gather() {
    guard lastTogether >= Committer.gatheringMin else { return }
    let clock = ContinuousClock()
    let end = clock.now + min(lastWrite / 2, Committer.gatheringMax)
    repeat {
      let count = monitor.withLock { $0.isClosed ? Int.max : $0.waiting.count }
      if count >= lastTogether * 3 / 4 { return }
      sched_yield()
    } while clock.now < end
  }

  /// Leaves the partition as the next opening likes it best. After a failure nothing is touched.
  func finish() {
    if stopped == nil, health.failure == nil, !isReadOnly {
      writer.trim()
      // The records say the same, only slower.
      try? writer.remember(memory)
    }
    monitor.withLock { $0.committer = nil }
    monitor.signalProgress()
  }

  private func perform(_ operation: AppendOperation) {
    if let stopped { return operation.refuse(stopped) }
    switch operation {
    case .append(let batch, let bytes, let completion):
      if let refusal = join(batch, bytes, completion) { completion(.failure(refusal)) }
    case .fence(let id, let completion):
      flush()
      if let stopped { return completion(.failure(stopped)) }
      completion(fence(id))
    case .roll(let completion):
      flush()
      if let stopped { return completion(.failure(stopped)) }
      do throws(DiskError) {
        try writer.roll(memory)
        completion(.success(()))
      } catch {
        completion(.failure(stop(error)))
      }
    }
  }

  /// Adds an append to the group, or answers it at once when that is possible.
  private func join(
    _ batch: AppendBatch, _ bytes: Int, _ completion: @escaping Completion
  ) -> LogError? {
    if let last = group.last,
      last.writer != batch.writer
        || groupRecords + batch.records.count > BatchLimits.groupRecordsMax
        || groupBytes + bytes > BatchLimits.groupBytesMax
    {
      flush()
      if let stopped { return stopped }
    }
    if let writer = batch.writer {
      if let current = memory.epoch(of: writer.id), writer.epoch < current {
        return .fenced(writer: writer, current: current)
      }
      guard memory.hasRoom(for: writer.id) else { return tooManyWriters }
    }
    if let key = batch.idempotencyKey {
      if let answer = memory.answer(to: key) {
        completion(.success(answer))
        return nil
      }
      if let index = groupKeys[key] {
        repeats.append((index, completion))
        return nil
      }
      groupKeys[key] = group.count
    }
    group.append(batch)
    completions.append(completion)
    groupRecords += batch.records.count
    groupBytes += bytes
    return nil
  }

  private var tooManyWriters: LogError {
    .tooLarge(
      what: "writers of a partition", size: AppendMemory.writersMax + 1,
      limit: AppendMemory.writersMax)
  }

  /// Makes the group durable and visible, then answers everybody in it.
  private func flush() {
    guard !group.isEmpty else { return }
    let encoded = encoder.encode(group, at: writer.next, newest: writer.newest)
    let result: Result<EncodedBatch, LogError>
    let start = ContinuousClock.now
    do throws(DiskError) {
      try encoder.withBatch { bytes throws(DiskError) in
        try writer.write(bytes, encoded, memory)
      }
      result = .success(encoded)
      lastWrite = ContinuousClock.now - start
    } catch {
      result = .failure(stop(error))
    }
    var answers: [Result<Appended, LogError>] = []
    var next = encoded.base
    for batch in group {
      let first = next
      next = Offset(first.rawValue + Int64(batch.records.count))
      let appended = Appended(first: first, end: next)
      answers.append(result.map { _ in appended })
      if stopped == nil {
        if let writer = batch.writer { memory.observe(writer) }
        if let key = batch.idempotencyKey { memory.remember(key, appended.asRepeat) }
      }
    }
    let finished = completions
    let repeated = repeats
    group.removeAll(keepingCapacity: true)
    completions = []
    repeats = []
    groupKeys = [:]
    groupRecords = 0
    groupBytes = 0
    for (answer, completion) in zip(answers, finished) { completion(answer) }
    for (index, completion) in repeated { completion(answers[index].map(\.asRepeat)) }
  }

  private func fence(_ id: Int64) -> Result<Writer, LogError> {
    let current = memory.epoch(of: id)
    guard memory.hasRoom(for: id) else { return .failure(tooManyWriters) }
    guard current ?? 0 < Int16.max else {
      return .failure(
        .tooLarge(what: "lives of writer \(id)", size: Int(Int16.max) + 1, limit: Int(Int16.max)))
    }
    let life = Writer(id: id, epoch: current.map { $0 + 1 } ?? 0)
    let encoded = encoder.encodeFence(life, at: writer.next, newest: writer.newest)
    do throws(DiskError) {
      try encoder.withBatch { bytes throws(DiskError) in
        try writer.write(bytes, encoded, memory)
      }
    } catch {
      return .failure(stop(error))
    }
    memory.observe(life)
    return .success(life)
  }

  /// Nothing is acknowledged from here on (law 15).
  private func stop(_ error: DiskError) -> LogError {
    let failure: LogError =
      error.isNoRoom ? .full(detail: "\(error)") : .stopped(detail: "\(error)")
    stopped = failure
    health.fail(failure)
    return failure
  }
}

extension Appended {
  fileprivate var asRepeat: Appended { Appended(first: first, end: end, isRepeat: true) }
}
