import EventStorage
import Events
import NIOCore
import Projections
import Synchronization

/// What a stream has missed in a partition.
enum Missed {
  /// The frames up to a position; `isAll` when that is where the partition is now.
  case frames([UInt8], upTo: Offset, isAll: Bool)
  /// The position lies before the recent window: only the state can help.
  case lost
}

extension LivePartition {
  /// Begins to send a loop what happens in these channels; the caller asks for what came before it after this.
  func join(_ channels: [[UInt8]], _ shape: FrameShape, loop: Int, of loops: Int) {
    state.withLock { state in
      for channel in channels {
        state.interest[channel, default: Interest(loops: loops)].change(shape, loop, by: 1)
      }
    }
  }

  func leave(_ channels: [[UInt8]], _ shape: FrameShape, loop: Int) {
    state.withLock { state in
      for channel in channels {
        state.interest[channel]?.change(shape, loop, by: -1)
        if state.interest[channel]?.isEmpty == true { state.interest[channel] = nil }
      }
    }
  }

  /// Whether everything from a position on can still be told, and whether that position exists.
  func reaches(back position: Offset) -> Reach {
    state.withLock { state in
      if position > state.position { return .future }
      return position >= state.window.start ? .whole : .behind
    }
  }

  enum Reach {
    case whole
    case behind
    case future
  }

  /// The frames of these channels from a position on, about `bytesMax` bytes of them at most.
  func missed(
    _ channels: [[UInt8]], _ shape: FrameShape, from position: Offset, bytesMax: Int
  ) -> Missed {
    state.withLock { state in
      guard position >= state.window.start else { return .lost }
      var entries: [RecentWindow.Entry] = []
      for channel in channels {
        guard let found = state.window.entries(of: channel, from: position) else { return .lost }
        entries += found
      }
      if channels.count > 1 { entries.sort { $0.offset < $1.offset } }
      var bytes: [UInt8] = []
      for entry in entries {
        if bytes.count >= bytesMax { return .frames(bytes, upTo: entry.offset, isAll: false) }
        let held = entry.batch.bytes
        let change = RecordChange(entry.batch.rows[entry.row], of: held.span.bytes)
        change?.append(shape, id: token(entry.next), to: &bytes)
      }
      return .frames(bytes, upTo: state.position, isAll: true)
    }
  }

  /// The messages of these channels now, as frames without ids, and the position they are of.
  func snapshot(_ channels: [ChannelName], _ shape: FrameShape) -> (bytes: [UInt8], at: Offset) {
    state.withLock { state in
      var bytes: [UInt8] = []
      for channel in channels { bytes += LivePartition.encoded(channel, shape, &state) }
      return (bytes, state.position)
    }
  }

  /// The messages of a channel now.
  func messages(in channel: ChannelName) -> (messages: [ChannelMessage], at: Offset) {
    state.withLock { ($0.channels.messages(in: channel), $0.position) }
  }

  /// Encodes the state of a channel, or finds it encoded: many subscribers join at once after a restart.
  private static func encoded(
    _ channel: ChannelName, _ shape: FrameShape, _ state: inout State
  ) -> [UInt8] {
    let key = SnapshotKey(channel: Array(channel.text.utf8), shape: shape)
    if let held = state.snapshots[key], held.position == state.position { return held.bytes }
    var bytes: [UInt8] = []
    for message in state.channels.messages(in: channel) {
      StreamFrame.append(
        MessageView(channel: channel, message), shape, id: nil, to: &bytes)
    }
    if state.snapshots.count >= snapshotsMax { state.snapshots.removeAll() }
    state.snapshots[key] = EncodedSnapshot(position: state.position, bytes: bytes)
    return bytes
  }
}
