import DequeModule
import EventStorage
import Events

/// The last batches of a partition, by channel: what a stream that resumes has missed.
///
/// A cache beside the fold and no part of it: a limit in bytes inside a fold would make its state depend on what
/// compaction has removed (law 6).
struct RecentWindow {
  /// A batch, held once for all channels.
  final class Batch: Sendable {
    let bytes: [UInt8]
    let rows: [RecordRow]
    /// The position after the batch.
    let next: Offset

    init(bytes: [UInt8], rows: [RecordRow], next: Offset) {
      self.bytes = bytes
      self.rows = rows
      self.next = next
    }
  }

  /// What a record takes besides its bytes: its row, its entry, and its share of the tables.
  private static let recordOverheadBytes = 100

  /// One record in a batch.
  struct Entry {
    let batch: Batch
    let row: Int

    var offset: Offset { batch.rows[row].offset }
    /// The position after the record.
    var next: Offset {
      row + 1 < batch.rows.count ? batch.rows[row + 1].offset : batch.next
    }
  }

  /// Every record from here on is in the window.
  private(set) var start: Offset
  private let bytesMax: Int
  private var bytes = 0
  private var batches = Deque<Batch>()
  private var channels: [[UInt8]: Deque<Entry>] = [:]

  /// An empty window that begins at a position.
  init(start: Offset, bytesMax: Int) {
    self.start = start
    self.bytesMax = bytesMax
  }

  mutating func append(_ span: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    if rows.isEmpty { return }
    let batch = Batch(
      bytes: span.withUnsafeBytes { Array($0) }, rows: rows.indices.map { rows[$0] }, next: next)
    batches.append(batch)
    bytes += RecentWindow.cost(of: batch)
    for row in batch.rows.indices {
      guard let channel = batch.channel(ofRow: row) else { continue }
      channels[channel, default: Deque()].append(Entry(batch: batch, row: row))
    }
    while bytes > bytesMax, batches.count > 1, let oldest = batches.first { drop(oldest) }
  }

  /// What happened in a channel from a position on, or nil when the window does not reach back that far.
  func entries(of channel: [UInt8], from position: Offset) -> [Entry]? {
    guard position >= start else { return nil }
    guard let queue = channels[channel] else { return [] }
    var low = queue.startIndex
    var high = queue.endIndex
    while low < high {
      let middle = (low + high) / 2
      if queue[middle].offset < position { low = middle + 1 } else { high = middle }
    }
    return Array(queue[low...])
  }

  private static func cost(of batch: Batch) -> Int {
    batch.bytes.count + batch.rows.count * recordOverheadBytes
  }

  private mutating func drop(_ batch: Batch) {
    for row in batch.rows.indices {
      guard let channel = batch.channel(ofRow: row),
        let index = channels.index(forKey: channel)
      else { continue }
      channels.values[index].removeFirst()
      if channels.values[index].isEmpty { channels.remove(at: index) }
    }
    start = batch.next
    bytes -= RecentWindow.cost(of: batch)
    batches.removeFirst()
  }
}

extension RecentWindow.Batch {
  /// The channel of a record, or nil when its key is no message key.
  func channel(ofRow row: Int) -> [UInt8]? {
    let key = rows[row].key
    let bytes = bytes
    guard let separator = EventKey.separator(key, of: bytes.span.bytes) else { return nil }
    return Array(bytes[key.lowerBound..<separator])
  }
}
