import EventStorage
import Events
import Logging
import NIOPosix
import Projections
import Synchronization

/// Reads one partition to its end and goes on as it grows, on a thread of its own, for as long as somebody needs it.
final class Follower<Log: EventLog>: Sendable {
  /// How long a wait for records lasts before the follower looks around.
  static var glance: Duration { .milliseconds(100) }
  /// How often a follower that never waits for a record looks whether anybody needs it still.
  static var look: Duration { .seconds(1) }
  /// After a log could not be reached, before trying again.
  static var pause: Duration { .milliseconds(200) }

  private let log: Log
  private let partition: ChannelPartition
  private let start: @Sendable (Partition) throws(LogError) -> GatewayServer<Log>.Start?
  private let idle: Duration?
  private let logger: Logger
  private let isExpiring = Atomic(false)

  /// - Parameters:
  ///   - start: where the fold begins.
  ///   - idle: after so long without anybody who needs it the partition is let go; nil keeps it.
  init(
    _ partition: ChannelPartition, of log: Log,
    from start: @escaping @Sendable (Partition) throws(LogError) -> GatewayServer<Log>.Start?,
    lettingGoAfter idle: Duration?, logger: Logger
  ) {
    self.log = log
    self.partition = partition
    self.start = start
    self.idle = idle
    self.logger = logger
  }

  /// Ends `run` within `glance`.
  func stop() { partition.demand.change { $0.isStopped = true } }

  private var isStopped: Bool { partition.demand.withLock { $0.isStopped } }

  /// Follows until stopped. A log that cannot be reached is tried again; any other error of it ends this too, is logged, and makes
  /// the gateway unready.
  func run() {
    var isCutOff = false
    while true {
      while !partition.demand.wait(for: .seconds(60), until: { $0.isWanted || $0.isStopped }) {}
      if isStopped { return }
      do throws(LogError) {
        try begin()
        try follow { [logger, partition] in
          if isCutOff { logger.notice("following \(partition.partition) again") }
          isCutOff = false
        }
      } catch .unavailable(let detail) {
        if !isCutOff { logger.warning("cannot follow \(partition.partition) now: \(detail)") }
        isCutOff = true
        _ = partition.demand.wait(for: Self.pause) { $0.isStopped }
      } catch {
        if case .closed = error, isStopped { return }
        partition.fail(error)
        logger.error("no longer following \(partition.partition): \(error)")
        return
      }
    }
  }

  private func begin() throws(LogError) {
    guard partition.status.phase == .idle else { return }
    // Before the bounds: what they hold is no older then.
    let known = log.lastKnown(partition.partition) ?? .now - ChannelPartition.staleAfter
    let bounds = try log.bounds(of: partition.partition)
    let start = try start(partition.partition)
    partition.begin(
      start?.channels ?? Channels(), at: start?.position ?? bounds.start, bounds, known: known)
  }

  /// Follows until stopped or let go.
  private func follow(_ onRead: () -> Void) throws(LogError) {
    var position = partition.status.position
    // What the log held at a moment ended here: once that is read, what is folded is no older.
    var target: (end: Offset, known: ContinuousClock.Instant)?
    var looked = ContinuousClock.now
    while !isStopped {
      if .now - looked > Self.look {
        looked = .now
        if rests(at: position) { return }
      }
      let known = log.lastKnown(partition.partition)
      let from = position
      var sink = ReadBatches()
      position = try log.read(
        partition.partition, from: from, bytesMax: partition.limits.readBytesMax, into: &sink)
      // Looked at behind the read, and before anybody sees what was read: a tombstone may have gone under it (law 7).
      let bounds = try log.bounds(of: partition.partition)
      partition.observe(bounds)
      onRead()
      if target == nil, let known { target = (bounds.end, known) }
      switch partition.watch.verdict(afterReadingFrom: from, bounds) {
      case .goOn: hand(sink.batches, upTo: position, from: from)
      case .beginAnew:
        guard let renewed = try renew(since: bounds) else { return }
        position = renewed
      }
      if let reached = target, position >= reached.end {
        partition.know(at: reached.known)
        target = nil
      }
      if position > from { continue }
      if log.waitForRecords(in: partition.partition, after: position, for: patience()) { continue }
      passTime()
      if rests(at: position) { return }
    }
  }

  /// Hands what was read to the partition.
  private func hand(_ batches: [ReadBatch], upTo next: Offset, from: Offset) {
    for batch in batches { partition.apply(batch) }
    // Nothing is left of the last records up to here.
    if next > batches.last?.next ?? from {
      partition.apply(ReadBatch(bytes: [], rows: [], next: next))
    }
  }

  /// Folds the partition anew beside what is served, which stays as it is until the new fold has come further: for so long there
  /// are both in memory.
  ///
  /// - Returns: how far the new fold has come; nil when stopped before.
  private func renew(since bounds: LogBounds) throws(LogError) -> Offset? {
    logger.notice("compaction has overtaken \(partition.partition): it is read anew")
    var fold = Fold<Channels>(partition.partition)
    try fold.catchUp(with: log, bytesMax: partition.limits.readBytesMax) { _ in isStopped }
    if isStopped { return nil }
    partition.replace(with: fold, since: bounds)
    logger.notice("\(partition.partition) is read anew up to \(fold.position)")
    return fold.position
  }

  /// Whether nobody has needed the partition for so long that it was let go.
  private func rests(at position: Offset) -> Bool {
    guard let idle, partition.rest(after: idle) else { return false }
    logger.info("\(partition.partition) is let go at \(position)")
    return true
  }

  /// Until the next key runs out of time, but no longer than a glance.
  private func patience() -> Duration {
    guard let expiry = partition.nextExpiry else { return Follower.glance }
    let left = Duration.milliseconds(max(1, expiry - WallClock.milliseconds()))
    return min(left, Follower.glance)
  }

  /// Time in a fold is log time. When a key is due and nothing else is appended, a record says that time has passed.
  private func passTime() {
    let now = WallClock.milliseconds()
    guard partition.status.failure == nil, let expiry = partition.nextExpiry, expiry <= now,
      isExpiring.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
    else { return }
    let record = NewRecord(key: EventKey.timePassed.bytes, value: TimePassed.encoded)
    log.append(AppendBatch([record], timestamp: now), to: partition.partition) { [self] result in
      if case .failure(let error) = result, !error.isStop || partition.fail(error) {
        logger.error("cannot say that time has passed in \(partition.partition): \(error)")
      }
      isExpiring.store(false, ordering: .relaxed)
    }
  }
}

extension EventLog {
  /// Everything that the partition held at this moment can be read here.
  func lastKnown(_ partition: Partition) -> ContinuousClock.Instant? {
    age(of: partition).map { .now - $0 }
  }
}
