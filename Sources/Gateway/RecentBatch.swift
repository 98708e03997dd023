import EventStorage
import Events
import Projections

/// One batch as it was read, shared by everyone who still needs it.
final class RecentBatch: Sendable {
  let bytes: [UInt8]
  let rows: [RecordRow]
  /// The position before it.
  let from: Offset
  /// The position after it.
  let next: Offset
  /// Keys that ran out of time when it was folded. They come after its rows.
  let expired: [ExpiredKey]
  /// Whether a key may have run out of time and been published again behind that, of whichever channel.
  private let hidesExpiry: Bool

  init(
    bytes: [UInt8], rows: [RecordRow], from: Offset, next: Offset, expired: [ExpiredKey],
    hidesExpiry: Bool = false
  ) {
    self.hidesExpiry = hidesExpiry
    self.bytes = bytes
    self.rows = rows
    self.from = from
    self.next = next
    self.expired = expired
  }

  /// What it takes in memory, its entries in the lists of channels included.
  var byteCount: Int {
    bytes.count + rows.count * (MemoryLayout<RecordRow>.stride + 16) + expired.count * 96 + 128
  }

  /// The channel of a row's message, or nil when it is no message.
  func channel(of row: RecordRow) -> String? {
    let held = bytes
    let span = held.span.bytes
    guard let zero = EventKey.separator(row.key, of: span) else { return nil }
    return String(decoding: held[row.key.lowerBound..<zero], as: UTF8.self)
  }

  /// The position from which a reader of any channels may resume once it has seen everything up to this entry.
  ///
  /// Nil within a batch in which keys ran out of time: at which row's time is not known here, so whoever has the same records in other
  /// batches may have let go of them at any position within this one.
  func position(after index: Int) -> Offset? {
    if expired.isEmpty, !hidesExpiry, index + 1 < rows.count { return rows[index + 1].offset }
    return index + 1 == rows.count + expired.count ? next : nil
  }

  /// The position from which a reader of one channel may resume once it has seen the entry with this index. After
  /// the last row that is the end of the batch; nil while keys of the channel that ran out are still to come, or may have been in between.
  func position(after index: Int, in channel: String) -> Offset? {
    if let last = expired.lastIndex(where: { $0.channel.text == channel }) {
      return index == rows.count + last ? next : nil
    }
    if hidesExpiry {
      return index == rows.lastIndex { self.channel(of: $0) == channel } ? next : nil
    }
    return index + 1 < rows.count ? rows[index + 1].offset : next
  }
}
