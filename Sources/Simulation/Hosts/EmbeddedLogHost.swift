internal import EventStorage
internal import SegmentStorage

/// A process that owns the real log on a simulated disk, and serves it over the network.
///
/// Another kind of log would be another host that takes the same `LogRequest`s.
final class EmbeddedLogHost: Process {
  /// Fetches that wait, one for each reader.
  struct Parked {
    var envelope: Envelope
    var deadline: VirtualTime
  }

  let name = "log"
  let disk: SimulatedDisk
  unowned let world: World
  let id: ProcessID = 0
  private(set) var log: SegmentedLog?
  private let outbox = Outbox()
  var parked: [Parked] = []
  /// Partitions that something was asked of since the last commit.
  private var touched: [Partition] = []
  private var isCommitPlanned = false
  private var options = SegmentedLog.Options()
  /// Nothing is done before this: the disk is busy.
  var busyUntil = VirtualTime.zero
  private let clock = SharedClock()

  init(in world: World) {
    self.world = world
    disk = SimulatedDisk(world.chance)
    disk.canBeDamaged = { $0.hasSuffix(".log") }
    disk.canary = world.options.canary
    options.partitions = world.options.partitions
    options.identity = world.logIdentity
    options.segmentBytes = 256 << world.chance.below(7)
    options.compression = world.chance.below(2) == 0 ? .none : .lz4(acceleration: 4)
    options.maintenanceInterval = nil
    options.commits = .whenAsked
    options.tombstoneRetention = .milliseconds(500 << Int64(world.chance.below(7)))
    options.observationsRetention = .seconds(10 + Int64(world.chance.below(60)))
    options.compactionDirtyPercent = 10 + world.chance.below(50)
    let clock = clock
    options.now = { clock.milliseconds }
  }

  // MARK: Lives

  func start() {
    parked = []
    isCommitPlanned = false
    busyUntil = world.now
    clock.milliseconds = world.clock(of: id)
    let errors = disk.errors
    do throws(LogError) {
      log = try SegmentedLog(opening: "log", options: options, on: disk)
    } catch {
      openingFailed(error, hadErrors: disk.errors > errors)
      return
    }
    guard !died() else { return }
    busyUntil += disk.takeTime()
    verify()
    world.wake(id, .maintain, after: .milliseconds(1500))
  }

  private func openingFailed(_ error: LogError, hadErrors: Bool) {
    if died() { return }
    if !disk.damages.isEmpty {
      if !hadErrors { judgePlace(error) }
      world.oracle.counts.damagesFound += 1
      disk.restore()
    } else if !hadErrors {
      world.fail(13, "the log cannot be opened: \(error)")
    }
    world.end(id, .killed, restartAfter: .seconds(1))
  }

  /// Right after opening nothing may be missing that anybody has seen.
  private func verify() {
    guard let log else { return }
    world.oracle.counts.restarts += 1
    quietly {
      let oracle = world.oracle
      world.check { () throws(Broken) in
        try oracle.watch(log.layout.all, of: log, on: disk)
        oracle.forgetAttempts()
        // Old damage is found by those who read it; here it would be in the way.
        guard disk.damages.isEmpty else { return }
        try oracle.verify(log) { partition in Offset(oracle.end(of: partition).rawValue - 200) }
      }
    }
  }

  func end(_ end: ProcessEnd) {
    // Whoever holds the log still would close it later, and a process that is gone writes nothing: it is closed on a dead disk.
    disk.kill()
    log?.close()
    log = nil
    if end == .killed { disk.endProcess() } else { disk.cutPower() }
    // A write to the end of the log that went elsewhere looks torn. One copy cannot tell; an operator who has another can.
    disk.restoreUnwritten()
    outbox.clear()
    parked = []
  }

  /// True when the power went out in the middle of what was just done.
  func died() -> Bool {
    guard disk.isDead else { return false }
    world.end(id, .powerCut, restartAfter: .seconds(1))
    return true
  }

  // MARK: Requests

  func receive(_ envelope: Envelope) {
    guard let log, case .log(let request) = envelope.letter else { return }
    switch request {
    case .append(let batch, let partition): append(batch, to: partition, envelope, log)
    case .fence(let writer, let partition):
      let outbox = outbox
      touch(partition)
      log.fence(writer: writer, in: partition) { outbox.add(.fence($0, partition, envelope)) }
      planCommit()
    case .describe: describe(envelope, log)
    case .fetch:
      world.wake(id, .fetch, after: .seconds(5))
      fetch(Parked(envelope: envelope, deadline: world.now + .seconds(5)), log)
    }
  }

  private func append(
    _ batch: AppendBatch, to partition: Partition, _ envelope: Envelope, _ log: SegmentedLog
  ) {
    let number = world.newRequest()
    world.oracle.attempt(number, batch, in: partition)
    touch(partition)
    var asked = batch
    if world.options.canary == .acceptStaleWriter { asked.writer = nil }
    if world.options.canary == .acknowledgeEarly {
      acknowledgeEarly(batch, partition, envelope, log)
    }
    let outbox = outbox
    let operations = disk
    log.append(asked, to: partition) { answer in
      outbox.add(
        .append(answer, number, batch, partition, envelope, after: operations.operations))
    }
    planCommit()
  }

  /// Canary: answers with where the batch will probably be.
  private func acknowledgeEarly(
    _ batch: AppendBatch, _ partition: Partition, _ envelope: Envelope, _ log: SegmentedLog
  ) {
    guard let end = try? log.bounds(of: partition).end else { return }
    let appended = Appended(
      first: end, end: Offset(end.rawValue + Int64(batch.records.count)))
    answer(.appended(.success(appended)), to: envelope, after: .zero)
  }

  private func touch(_ partition: Partition) {
    if !touched.contains(partition) { touched.append(partition) }
  }

  private func planCommit() {
    guard !isCommitPlanned else { return }
    isCommitPlanned = true
    let wait = max(busyUntil, world.now + VirtualTime(microseconds: 200))
    world.wake(
      id, .commit, after: VirtualTime(microseconds: wait.microseconds - world.now.microseconds))
  }

  private func describe(_ envelope: Envelope, _ log: SegmentedLog) {
    let bounds = log.layout.all.compactMap { partition in
      (try? log.bounds(of: partition)).map { (partition, shown($0)) }
    }
    answer(
      .described(identity: log.identity, layout: log.layout, bounds: bounds), to: envelope,
      after: .zero)
  }

  /// Canary: readers are not told how far tombstones are gone.
  func shown(_ bounds: LogBounds) -> LogBounds {
    var bounds = bounds
    if world.options.canary == .dropTombstoneEarly { bounds.tombstoneHorizon = .zero }
    return bounds
  }

  // MARK: Commits

  func wake(_ timer: Timer) {
    clock.milliseconds = world.clock(of: id)
    switch timer {
    case .commit: commit()
    case .maintain: maintain()
    case .fetch: unpark([])
    default: break
    }
  }

  private func commit() {
    isCommitPlanned = false
    guard let log else { return }
    log.commitOnce()
    let changed = touched
    touched = []
    let time = disk.takeTime()
    busyUntil = world.now + time
    if disk.isDead {
      // The answers were never sent.
      settleOutbox(after: nil)
      _ = died()
      return
    }
    quietly {
      let oracle = world.oracle
      world.check { () throws(Broken) in try oracle.watch(changed, of: log, on: disk) }
    }
    let mustRestart = settleOutbox(after: time)
    unpark(changed)
    if mustRestart {
      disk.isFull = false
      world.end(id, .killed, restartAfter: .seconds(1))
    }
  }

  /// Judges and sends what the log has answered; nothing is sent when the process died before.
  /// - Returns: true when the log has stopped.
  @discardableResult
  private func settleOutbox(after time: VirtualTime?) -> Bool {
    var hasStopped = false
    for reply in outbox.take() {
      switch reply {
      case .append(let result, let number, let batch, let partition, let envelope, let operation):
        guard let time else { continue }
        if case .success(let appended) = result, !appended.isRepeat { judge(partition, operation) }
        world.check { () throws(Broken) in
          try world.oracle.acknowledge(number, batch, in: partition, result)
        }
        hasStopped = hasStopped || result.isStopped
        world.note((try? result.get())?.first.rawValue ?? -1)
        if world.options.canary == .acknowledgeEarly { continue }
        answer(.appended(result), to: envelope, after: time)
      case .fence(let result, let partition, let envelope):
        guard let time else { continue }
        if case .success(let writer) = result {
          world.check { () throws(Broken) in try world.oracle.fenced(writer, in: partition) }
        }
        hasStopped = hasStopped || result.isStopped
        answer(.fenced(result), to: envelope, after: time)
      }
    }
    return hasStopped
  }

  /// Law 15: after a failed write or sync of a segment nothing is acknowledged, wherever.
  private func judge(_ partition: Partition, _ operation: Int) {
    if let failed = disk.failedWrites.first(where: {
      $0.operation <= operation && $0.path.hasPrefix("log/") && $0.path.hasSuffix(".log")
    }) {
      world.fail(
        15, "\(partition) acknowledged an append after a write of \(failed.path) had failed")
    }
  }

  func answer(_ answer: LogAnswer, to envelope: Envelope, after time: VirtualTime) {
    world.send(
      .logAnswer(answer), from: id, to: envelope.from, request: envelope.request)
  }

  // MARK: Maintenance

  private func maintain() {
    world.wake(id, .maintain, after: .milliseconds(1500))
    guard let log else { return }
    if world.options.canary == .dropTombstoneEarly {
      clock.milliseconds += 3_600_000
    }
    let errors = disk.errors
    var failure: LogError?
    var freed = 0
    do throws(LogError) {
      freed = try log.maintainOnce(always: world.chance.below(4) == 3)
    } catch { failure = error }
    busyUntil = max(busyUntil, world.now) + disk.takeTime()
    if died() { return }
    if freed != 0 || failure != nil {
      world.oracle.counts.compactions += 1
      for partition in log.layout.all where partition.topic.isCompacted {
        world.oracle.compacted(partition)
      }
    }
    if let failure { found(failure, errors: errors) }
    quietly {
      let oracle = world.oracle
      world.check { () throws(Broken) in
        try oracle.watch(log.layout.all, of: log, on: disk)
      }
    }
  }

  // MARK: Quiet

  private func quietly(_ body: () -> Void) {
    disk.isQuiet = true
    body()
    _ = disk.takeTime()
    disk.isQuiet = false
  }

  func settle() { disk.isFull = false }

  var pending: String? {
    if log == nil { return "is closed" }
    return isCommitPlanned ? "something is not committed" : nil
  }

  func finish() {
    guard let log else { return world.fail(32, "the log is closed in the end") }
    disk.restore()
    quietly {
      let oracle = world.oracle
      world.check { () throws(Broken) in
        try oracle.watch(log.layout.all, of: log, on: disk)
        try oracle.verify(log) { _ in .zero }
      }
    }
  }
}

extension Result where Failure == LogError {
  fileprivate var isStopped: Bool {
    switch self {
    case .failure(.stopped), .failure(.full): true
    default: false
    }
  }
}
