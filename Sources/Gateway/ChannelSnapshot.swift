import EventStorage
import Events
import Projections

/// The messages of a channel at a position, encoded once for everyone who joins, and there for as long as somebody reads it.
final class ChannelSnapshot: Sendable {
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
