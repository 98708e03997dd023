import EventStorage
import Projections
import Synchronization

/// Folded anew, because compaction has overtaken the fold that was served (law 7).
extension ChannelPartition {
  /// Whether the fold has missed nothing.
  var watch: TombstoneWatch { state.withLock { $0.watch } }

  /// Serves another fold from now on, which has come further than the one so far: the position never goes back (law 5).
  ///
  /// What lies between the two is not known, so the window begins at the new one, and nothing from before is resumed: whoever
  /// reads a stream here is given the state.
  /// - Parameter bounds: looked at before the fold was begun.
  func replace(with fold: Fold<Channels>, since bounds: LogBounds) {
    var channels = fold.state
    channels.collectsExpired = true
    let position = fold.position
    let resumed = state.withLock { state in
      precondition(
        position > state.position, "from \(state.position) on comes no fold at \(position)")
      state.channels = channels
      state.position = position
      state.window = RecentWindow(start: position, bytesMax: limits.recentBytesMax)
      state.snapshots = SnapshotShelf()
      state.watch = TombstoneWatch(since: bounds)
      state.lookWhetherServing()
      return state.takeWaiters()
    }
    for loop in loops { loop.postRenewal(of: partition.index) }
    posted.store(position.rawValue, ordering: .releasing)
    for waiter in resumed { waiter.resume() }
  }
}
