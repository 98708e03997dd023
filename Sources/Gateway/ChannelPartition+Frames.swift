import EventStorage
import Events
import Projections

/// Frames of one channel in one shape, on their way to a loop.
struct LoopEntry: Sendable {
  var topic: StreamTopic
  /// The position before the first of them.
  var from: Offset
  /// The position after the last of them.
  var next: Offset
  var frames: [UInt8]
}

/// What a loop's subscribers share: a channel in a shape.
struct StreamTopic: Hashable, Sendable {
  var partition: Int
  var channel: String
  var shape: StreamShape
}

/// What a batch has of each channel. Channels come in the order in which the batch names them, so that the same log gives the same
/// bytes in every process.
private struct ChannelIndices {
  private(set) var all: [(channel: String, indices: [Int])] = []
  private var places: [String: Int] = [:]

  mutating func add(_ index: Int, to channel: String) {
    if let place = places[channel] {
      all[place].indices.append(index)
    } else {
      places[channel] = all.count
      all.append((channel, [index]))
    }
  }
}

extension ChannelPartition {
  /// Frames are cut into entries of about this size, so that what waits for a slow reader is bounded.
  static let entryBytes = 64 << 10

  /// The entries of a batch for every loop.
  func encode(
    _ batch: RecentBatch, for interests: [String: Interest], loops: Int
  ) -> [[LoopEntry]] {
    var outgoing = [[LoopEntry]](repeating: [], count: loops)
    var seen = ChannelIndices()
    for index in batch.rows.indices {
      guard let channel = batch.channel(of: batch.rows[index]), interests[channel] != nil else {
        continue
      }
      seen.add(index, to: channel)
    }
    for index in batch.expired.indices {
      let channel = batch.expired[index].channel.text
      guard interests[channel] != nil else { continue }
      seen.add(batch.rows.count + index, to: channel)
    }
    for (channel, indices) in seen.all {
      guard let interest = interests[channel] else { continue }
      for shape in StreamShape.allCases where interest.loops[Int(shape.rawValue)] != 0 {
        let topic = StreamTopic(partition: partition.index, channel: channel, shape: shape)
        let entries = encode(batch, indices, topic)
        for loop in 0..<loops where interest.loops[Int(shape.rawValue)] & (1 << UInt64(loop)) != 0 {
          outgoing[loop] += entries
        }
      }
    }
    return outgoing
  }

  private func encode(_ batch: RecentBatch, _ indices: [Int], _ topic: StreamTopic) -> [LoopEntry] {
    var entries: [LoopEntry] = []
    var entry = LoopEntry(topic: topic, from: batch.from, next: batch.next, frames: [])
    for index in indices {
      let after = batch.position(after: index, in: topic.channel)
      append(
        batch, index, as: topic.shape, id: topic.shape.hasIDs ? after.map(token) : nil,
        to: &entry.frames)
      if entry.frames.count >= ChannelPartition.entryBytes, let after, after < batch.next {
        entry.next = after
        entries.append(entry)
        entry = LoopEntry(topic: topic, from: after, next: batch.next, frames: [])
      }
    }
    entries.append(entry)
    return entries
  }

  /// The frame of an entry of a batch: a row, or one of the keys that expired behind its rows.
  func append(
    _ batch: RecentBatch, _ index: Int, as shape: StreamShape, id: String?,
    to frames: inout [UInt8]
  ) {
    if index < batch.rows.count {
      StreamFrames.append(batch.rows[index], of: batch.bytes, as: shape, id: id, to: &frames)
    } else {
      let key = batch.expired[index - batch.rows.count]
      StreamFrames.appendDelete(
        channel: key.channel.text.utf8, key: key.key.text.utf8, as: shape, id: id, to: &frames)
    }
  }
}
