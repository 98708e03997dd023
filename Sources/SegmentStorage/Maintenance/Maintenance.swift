package import EventStorage

/// Compacts and removes, now and then, on one thread for the whole log.
final class Maintenance: Sendable {
  private struct State: Sendable {
    var isStopped = false
    var isRunning = false
    var hasThread = false
    var failure: LogError?
  }

  private let partitions: [Partition: PartitionLog]
  private let options: SegmentedLog.Options
  private let monitor = Monitor(State())

  init(of partitions: [Partition: PartitionLog], _ options: SegmentedLog.Options) {
    self.partitions = partitions
    self.options = options
  }

  /// What went wrong last, until a round goes well.
  var failure: LogError? { monitor.withLock { $0.failure } }

  func start() {
    guard let interval = options.maintenanceInterval, !options.isReadOnly else { return }
    monitor.withLock { $0.hasThread = true }
    startThread(for: "maintenance") { [self] in
      while monitor.waitForWork(for: interval, { $0.isStopped ? true : nil }) == nil {
        // Whoever wants to know was told; the next round tries again.
        _ = try? once(always: false)
      }
      monitor.withLock { $0.hasThread = false }
      monitor.signalProgress()
    }
  }

  /// Waits for a round that is under way.
  func stop() {
    monitor.withLock { $0.isStopped = true }
    monitor.signalWork()
    _ = monitor.waitForProgress { !$0.hasThread && !$0.isRunning ? true : nil }
  }

  /// One round over all partitions. A partition that fails does not keep the others from their turn.
  /// - Returns: the bytes that were freed.
  func once(always: Bool) throws(LogError) -> Int {
    let isMine = monitor.waitForProgress { state -> Bool? in
      if state.isStopped { return false }
      if state.isRunning { return nil }
      state.isRunning = true
      return true
    }
    guard isMine == true else { throw .closed }
    var freed = 0
    var failure: LogError?
    for partition in partitions.keys.sorted() {
      guard let log = partitions[partition], !monitor.withLock({ $0.isStopped }) else { break }
      do throws(LogError) {
        if partition.topic.isCompacted {
          freed += try Compaction(log: log, options: options).run(
            now: options.now(), always: always)
        } else {
          removeExpired(log)
        }
      } catch {
        failure = failure ?? error
      }
    }
    let known = monitor.withLock { state in
      defer { state.failure = failure }
      state.isRunning = false
      return state.failure
    }
    monitor.signalProgress()
    if failure != known { options.maintenanceChanged(failure) }
    if let failure { throw failure }
    return freed
  }

  /// Retention: an active segment whose newest record has expired is closed, so that the next round can remove it.
  private func removeExpired(_ log: PartitionLog) {
    let cutoff = options.now() - options.observationsRetention.milliseconds
    for base in log.dropSegments(olderThan: cutoff) { log.place.removeSegment(base) }
    let hasExpired = log.monitor.withLock { state in
      state.active.map { $0.bytes > 0 && $0.newest < cutoff } ?? false
    }
    if hasExpired { log.enqueue(.roll { _ in }) }
  }
}

extension SegmentedLog {
  /// Compacts and removes what is due, on the caller's thread. `always` compacts what is not worth it yet, too.
  /// - Returns: the bytes that compaction freed.
  @discardableResult
  package func maintainOnce(always: Bool = false) throws(LogError) -> Int {
    try maintenance.once(always: always)
  }

  /// Why the last round of maintenance did not finish; nil when it did. Appends and reads go on meanwhile.
  package var maintenanceFailure: LogError? { maintenance.failure }

  /// Closes the active segment of a partition, so that maintenance can work on it.
  package func roll(_ partition: Partition) async throws(LogError) {
    let held = try held(partition)
    let result = await withCheckedContinuation { continuation in
      held.enqueue(.roll { continuation.resume(returning: $0) })
    }
    try result.get()
  }
}
