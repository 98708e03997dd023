import EventStorage
import Events
import Projections
import Synchronization

/// What a subscriber asks of a partition, from its event loop.
extension ChannelPartition {
  /// From now on the frames of a channel in a shape go to a loop.
  func addInterest(of loop: Int, in channel: String, as shape: StreamShape) {
    state.withLock {
      $0.interests[channel, default: Interest()].loops[Int(shape.rawValue)] |= 1 << UInt64(loop)
      _ = use(&$0)
    }
  }

  /// Nobody on a loop wants the frames of a channel in a shape any more.
  func removeInterest(of loop: Int, in channel: String, as shape: StreamShape) {
    state.withLock {
      guard let found = $0.interests.index(forKey: channel) else { return }
      $0.interests.values[found].loops[Int(shape.rawValue)] &= ~(1 << UInt64(loop))
      if $0.interests.values[found].isEmpty { $0.interests.remove(at: found) }
      $0.usedAt = .now
    }
  }

  /// Whether a reader that has seen everything before `offset` can be given exactly what it lacks.
  enum Coverage: Equatable {
    case covered
    /// Older than what is kept: it must take the state instead.
    case behind
    /// Behind the end of the log.
    case beyondEnd
    /// Behind what is known of the log, which may have grown elsewhere: that will be seen soon.
    case ahead
  }

  /// - Parameter moment: when the reader came. What the log held then decides where it ends.
  func coverage(of offset: Offset, since moment: ContinuousClock.Instant) -> Coverage {
    state.withLock { state in
      if offset < state.window.start || offset < state.bounds.tombstoneHorizon { return .behind }
      if offset <= max(state.position, state.bounds.end) { return .covered }
      guard let knownAt = state.knownAt, knownAt <= moment else { return .beyondEnd }
      return .ahead
    }
  }

  /// What a reader of some channels lacks.
  enum Changes {
    /// Their frames, and the position behind them; `isCaughtUp` when that is where the partition is.
    case frames([UInt8], next: Offset, isCaughtUp: Bool)
    /// The window no longer reaches back to the reader's position.
    case lost
  }

  /// The frames of these channels from a position on, at least one and about `bytesMax` of them.
  func changes(
    in channels: [String], from cursor: Offset, as shape: StreamShape, withIDs: Bool, bytesMax: Int
  ) -> Changes {
    state.withLock { state in
      guard cursor >= state.window.start else { return .lost }
      guard cursor < state.position else {
        return .frames([], next: cursor, isCaughtUp: true)
      }
      var frames: [UInt8] = []
      var stopped: Offset?
      state.window.forEach(of: channels, from: cursor) { batch, place in
        let id: String?
        if withIDs, shape.hasIDs, channels.count == 1 {
          id = batch.position(after: place.index, in: channels[0]).map(token)
        } else {
          id = nil
        }
        append(batch, place.index, as: shape, id: id, to: &frames)
        guard frames.count >= bytesMax, let after = batch.position(after: place.index),
          after < state.position
        else { return true }
        stopped = after
        return false
      }
      let next = stopped ?? state.position
      return .frames(frames, next: next, isCaughtUp: stopped == nil)
    }
  }
}
