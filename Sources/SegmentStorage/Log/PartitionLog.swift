internal import EventStorage
internal import Glibc

/// One partition: what readers see, what waits to be written, and the way between the two.
final class PartitionLog: Sendable {
  /// Touched with the monitor's lock held.
  struct State: Sendable {
    var sealed: [Segment]
    var active: ActiveSegment?
    var end: Offset
    var compaction: CompactionState
    var cleanings = 0
    var waiting: [AppendOperation] = []
    var waitingBytes = 0
    var isClosed = false
    /// Not started until the first append: most partitions of most logs are only read.
    var committer: Committer?
    var isCommitting = false
    var commitThread: UInt?

    var start: Offset { sealed.first?.base ?? active?.base ?? .zero }

    /// Of a log that another process writes, compaction may have come further than what was opened.
    var cleanPoint: Offset { min(max(start, compaction.cleanPoint), end) }

    /// That of the segment that holds the clean point, or of a later one: times never go back.
    var cleanTime: Int64 {
      guard cleanPoint > .zero else { return .min }
      if let active, active.bytes > 0, active.base < cleanPoint { return active.newest }
      let segment = sealed.last { $0.base < cleanPoint } ?? sealed.first
      return segment?.newest ?? active?.newest ?? .min
    }
  }

  /// Where to read on.
  struct Location {
    var file: any DiskFile
    var position: Int
    var limit: Int
    var end: Offset
  }

  let place: PartitionPlace
  let monitor: Monitor<State>
  private let isReadOnly: Bool
  private let commits: SegmentedLog.Commits
  private let health: LogHealth

  init(
    _ place: PartitionPlace, options: SegmentedLog.Options, health: LogHealth
  ) throws(LogError) {
    self.place = place
    self.health = health
    isReadOnly = options.isReadOnly
    commits = options.commits
    let found =
      isReadOnly
      ? try PartitionRecovery(beside: place) : try PartitionRecovery(place, isReadOnly: false)
    monitor = Monitor(
      State(
        sealed: found.sealed, active: found.active, end: found.end, compaction: found.compaction))
    let committer = Committer(
      found, at: place, options: options, monitor: monitor, health: health)
    monitor.withLock { $0.committer = committer }
  }

  // MARK: Reading

  func bounds() throws(LogError) -> LogBounds {
    try monitor.withLock { state throws(LogError) in
      if state.isClosed { throw .closed }
      return LogBounds(
        start: state.start, end: state.end, tombstoneHorizon: state.compaction.tombstoneHorizon,
        cleanPoint: state.cleanPoint, cleanTime: state.cleanTime, cleanings: state.cleanings)
    }
  }

  /// Nil at the end.
  func locate(_ offset: Offset) throws(LogError) -> Location? {
    try monitor.withLock { state throws(LogError) in
      if state.isClosed { throw .closed }
      if offset < state.start { throw .trimmed(place.partition, start: state.start) }
      if offset > state.end { throw .beyondEnd(place.partition, end: state.end) }
      if offset == state.end { return nil }
      if let active = state.active, offset >= active.base {
        return Location(
          file: active.file, position: active.index.position(of: offset), limit: active.bytes,
          end: state.end)
      }
      // Closed segments follow each other without a gap.
      guard let segment = state.sealed.last(where: { $0.base <= offset }) else { return nil }
      return Location(
        file: segment.file, position: segment.index.position(of: offset), limit: segment.bytes,
        end: segment.end)
    }
  }

  func tailStart(bytesMax: Int) throws(LogError) -> Offset {
    try monitor.withLock { state throws(LogError) in
      if state.isClosed { throw .closed }
      var rest = bytesMax
      var start = state.end
      if let active = state.active, active.bytes > 0 {
        guard active.bytes <= rest else {
          return active.index.entry(from: active.bytes - rest).map { Offset($0.offset) } ?? start
        }
        rest -= active.bytes
        start = active.base
      }
      for segment in state.sealed.reversed() {
        guard segment.bytes <= rest else {
          return segment.index.entry(from: segment.bytes - rest).map { Offset($0.offset) } ?? start
        }
        rest -= segment.bytes
        start = segment.base
      }
      return start
    }
  }

  func waitForRecords(after offset: Offset, for duration: Duration) -> Bool {
    monitor.waitForProgress(for: duration) { state -> Bool? in
      if state.isClosed { return false }
      return state.end > offset ? true : nil
    } ?? false
  }

  // MARK: Maintenance

  /// Puts a compacted segment in the place of those it was made of. Readers keep the files they hold.
  func replace(_ old: [Segment], by new: Segment) {
    monitor.withLock { state in
      guard let index = state.sealed.firstIndex(where: { $0.base == new.base }) else { return }
      state.sealed.replaceSubrange(index..<index + old.count, with: [new])
      state.cleanings += 1
    }
  }

  /// Lets go of the oldest closed segments while they are older than `cutoff`.
  /// - Returns: the bases of those that can be removed from the disk.
  func dropSegments(olderThan cutoff: Int64) -> [Offset] {
    monitor.withLock { state in
      let count = state.sealed.prefix { $0.newest < cutoff }.count
      defer { state.sealed.removeFirst(count) }
      return state.sealed.prefix(count).map(\.base)
    }
  }

  /// The committer refers to the state that holds it: what was opened and never closed, because another partition could not be, ends here.
  deinit {
    let committer = monitor.withLock { state in
      defer { state.committer = nil }
      return state.committer
    }
    withExtendedLifetime(committer) {}
  }

  // MARK: Appending

  /// Hands an operation to whoever commits, or refuses it at once.
  func enqueue(_ operation: AppendOperation) {
    let refusal = monitor.withLock { state -> LogError? in
      if state.isClosed { return .closed }
      if let failure = health.failure { return failure }
      if isReadOnly { return .stopped(detail: "it was opened read-only") }
      let bytes = state.waitingBytes + operation.bytes
      guard bytes <= LogLimits.pendingBytesMax else {
        return .tooLarge(
          what: "batches that wait to become durable in \(place.partition)", size: bytes,
          limit: LogLimits.pendingBytesMax)
      }
      state.waitingBytes = bytes
      state.waiting.append(operation)
      if commits == .onThread, !state.isCommitting, let committer = state.committer {
        state.isCommitting = true
        startThread(for: "committing \(place.partition)") { committer.run() }
      }
      return nil
    }
    if let refusal {
      operation.refuse(refusal)
    } else {
      monitor.signalWork()
    }
  }

  /// Performs what waits, on this thread, unless somebody is at it already.
  /// - Returns: how many operations that was.
  func commitOnce() -> Int {
    let idle = monitor.withLock { state -> Committer? in
      guard commits == .whenAsked, !state.isCommitting else { return nil }
      state.isCommitting = true
      state.commitThread = pthread_self()
      return state.committer
    }
    guard let idle else { return 0 }
    let count = idle.takeTurn()
    let isClosed = monitor.withLock { state in
      state.isCommitting = false
      return state.isClosed
    }
    if isClosed { idle.finish() }
    return count
  }

  /// Takes no more appends, waits for those under way, and writes down what the next opening need not find out.
  func close() {
    let idle = monitor.withLock { state -> Committer? in
      if state.isClosed { return nil }
      state.isClosed = true
      return state.isCommitting ? nil : state.committer
    }
    monitor.signalWork()
    monitor.signalProgress()
    if let idle {
      idle.takeTurn()
      idle.finish()
    } else {
      // A completion may close the log; its thread cannot wait for itself.
      let current = pthread_self()
      _ = monitor.waitForProgress { state in
        state.committer == nil || state.commitThread == current ? true : nil
      }
    }
  }
}
