import EventStorage
import Events
import Projections
import Synchronization

/// The encoded states of channels: shared, and made again only when following the changes would cost more.
extension ChannelPartition {
  /// The encoded state of a channel: one that somebody has and that the window still reaches back to, or a new one.
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
    state.withLock { $0.snapshots.add(made, key, bytesMax: limits.snapshotBytesMax) }
    return made
  }

  /// Whether changes from a position on can still be given exactly.
  func reaches(back position: Offset) -> Bool {
    state.withLock { position >= $0.window.start }
  }
}

/// Which encoded state of a partition.
struct SnapshotKey: Hashable {
  var channel: String
  var isEnvelope: Bool
}

/// The encoded states of a partition. Some are kept for whoever comes next; all that anybody reads are found here.
struct SnapshotShelf: Sendable {
  private struct Place: Sendable {
    weak var snapshot: ChannelSnapshot?
    /// The same, when it is kept.
    var kept: ChannelSnapshot?
  }

  private var places: [SnapshotKey: Place] = [:]
  private var keptBytes = 0

  subscript(key: SnapshotKey) -> ChannelSnapshot? { places[key]?.snapshot }

  /// Puts the newest state of a channel in the place of an older one.
  ///
  /// - Parameter bytesMax: what may be kept. One that is larger than that lasts as long as somebody reads it.
  mutating func add(_ made: ChannelSnapshot, _ key: SnapshotKey, bytesMax: Int) {
    if let old = places[key] {
      if let snapshot = old.snapshot, snapshot.position >= made.position { return }
      keptBytes -= old.kept?.frames.count ?? 0
      places[key] = nil
    }
    let size = made.frames.count
    if size <= bytesMax, keptBytes + size > bytesMax {
      for index in places.values.indices { places.values[index].kept = nil }
      keptBytes = 0
    }
    places = places.filter { $0.value.snapshot != nil }
    let isKept = size <= bytesMax
    places[key] = Place(snapshot: made, kept: isKept ? made : nil)
    if isKept { keptBytes += size }
  }
}
