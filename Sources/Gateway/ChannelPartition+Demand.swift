import EventStorage
import NIOCore
import Projections
import Synchronization

/// Held while somebody needs it.
extension ChannelPartition {
  /// What is older is said to be stale, with its age.
  static let staleAfter = Duration.seconds(5)

  /// Says that somebody needs it now.
  /// - Returns: whether it serves: it is at least where the log ended when somebody first needed it.
  @discardableResult
  func use() -> Bool { state.withLock { use(&$0) } }

  func use(_ state: inout State) -> Bool {
    state.usedAt = .now
    if case .idle = state.phase { demand.change { $0.isWanted = true } }
    if case .serving = state.phase { return true }
    return false
  }

  /// Waits until it serves.
  /// - Throws: a problem when the log cannot be read, or not in time.
  func serve(within seconds: Double) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !use() {
      if let failure = status.failure { throw Problem.log(failure) }
      if .now > deadline { throw Problem.starting(status) }
      try await Task.sleep(for: .milliseconds(10))
    }
  }

  /// Begins to be fed from here on.
  ///
  /// - Parameters:
  ///   - bounds: looked at before `channels` was judged to be right.
  ///   - known: when the log had them.
  func begin(
    _ channels: Channels, at position: Offset, _ bounds: LogBounds,
    known: ContinuousClock.Instant
  ) {
    var channels = channels
    channels.collectsExpired = true
    posted.store(position.rawValue, ordering: .releasing)
    state.withLock { state in
      state.channels = channels
      state.position = position
      state.window = RecentWindow(start: position, bytesMax: limits.recentBytesMax)
      state.bounds = bounds
      state.watch = TombstoneWatch(since: bounds)
      state.readyAt = bounds.end
      state.knownAt = known
      state.usedAt = .now
      state.phase = .starting
      state.lookWhetherServing()
    }
  }

  /// Lets go of everything when nobody has needed it for so long; but not while it could not be read again.
  /// - Returns: whether it is idle now.
  func rest(after idle: Duration) -> Bool {
    state.withLock { state in
      guard state.interests.isEmpty, state.waiters.isEmpty, .now - state.usedAt > idle,
        let knownAt = state.knownAt, .now - knownAt < ChannelPartition.staleAfter
      else { return false }
      state.phase = .idle
      state.channels = Channels()
      state.window = RecentWindow(start: state.position, bytesMax: limits.recentBytesMax)
      state.snapshots = SnapshotShelf()
      demand.withLock { $0.isWanted = false }
      return true
    }
  }
}

extension ChannelPartition.State {
  mutating func lookWhetherServing() {
    if case .starting = phase, position >= readyAt { phase = .serving }
  }
}
