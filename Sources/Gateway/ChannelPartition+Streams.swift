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

  /// The encoded state of a channel: a shared one that the window still reaches back to, or a new one.
  func snapshot(of channel: ChannelName, as shape: StreamShape) -> ChannelSnapshot {
    let key = SnapshotKey(channel: channel.text, isEnvelope: shape.isEnvelope)
    let (held, messages, position) = state.withLock {
      state -> (ChannelSnapshot?, [ChannelMessage], Offset) in
      if let held = state.snapshots[key], held.position >= state.window.start {
        // Following a few changes is cheaper than encoding everything again.
        let limit = held.count / 4 + 1
        let changes = state.window.count(of: channel.text, from: held.position, limit: limit)
        if changes < limit { return (held, [], held.position) }
      }
      return (nil, state.channels.messages(in: channel), state.position)
    }
    if let held { return held }
    let made = ChannelSnapshot(messages, of: channel, as: shape, position: position)
    state.withLock { state in
      if let old = state.snapshots[key] {
        guard old.position < made.position else { return }
        state.snapshotBytes -= old.frames.count
      }
      state.snapshots[key] = nil
      if state.snapshotBytes + made.frames.count > limits.snapshotBytesMax {
        state.snapshots = [:]
        state.snapshotBytes = 0
      }
      guard made.frames.count <= limits.snapshotBytesMax else { return }
      state.snapshots[key] = made
      state.snapshotBytes += made.frames.count
    }
    return made
  }
}

/// Which encoded state of a partition.
struct SnapshotKey: Hashable {
  var channel: String
  var isEnvelope: Bool
}

/// The messages of a channel at a position, encoded once for everyone who joins.
struct ChannelSnapshot: Sendable {
  let position: Offset
  let frames: [UInt8]
  /// Where the frame of each message ends, by its offset, rising.
  private let ends: [(offset: Offset, end: Int)]

  var count: Int { ends.count }

  init(
    _ messages: [ChannelMessage], of channel: ChannelName, as shape: StreamShape, position: Offset
  ) {
    var frames: [UInt8] = []
    var ends: [(offset: Offset, end: Int)] = []
    ends.reserveCapacity(messages.count)
    for message in messages {
      StreamFrames.append(message, in: channel, as: shape, to: &frames)
      ends.append((message.offset, frames.count))
    }
    self.position = position
    self.frames = frames
    self.ends = ends
  }

  /// The frames of the messages after one offset and before another, about `bytesMax` of them.
  ///
  /// - Returns: the last offset among them, or nil when there are none left.
  func page(
    after: Offset?, before: Offset, bytesMax: Int
  ) -> (frames: ArraySlice<UInt8>, last: Offset?) {
    let first = after.map { after in firstIndex { $0 > after } } ?? 0
    let start = first == 0 ? 0 : ends[first - 1].end
    var end = start
    var last: Offset?
    for index in first..<ends.count {
      guard ends[index].offset < before, end - start < bytesMax else { break }
      end = ends[index].end
      last = ends[index].offset
    }
    return (frames[start..<end], last)
  }

  private func firstIndex(where isAfter: (Offset) -> Bool) -> Int {
    var lower = 0
    var upper = ends.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if isAfter(ends[middle].offset) { upper = middle } else { lower = middle + 1 }
    }
    return lower
  }
}
