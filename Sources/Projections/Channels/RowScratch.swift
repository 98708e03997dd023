import EventStorage
import Events

/// The messages of a batch, found but not yet folded: so that memory can be asked for ahead of its use.
struct RowScratch: Sendable {
  struct Row: Sendable {
    var offset: Int64
    var timestamp: Int64
    var hash: UInt32
    var keyStart: Int32
    var keyLength: Int32
    var separator: Int32
    var bodyStart: Int32
    /// -1: the key goes.
    var bodyLength: Int32

    var key: Range<Int> { Int(keyStart)..<Int(keyStart) + Int(keyLength) }
  }

  private static let slotsAhead = 16
  private static let entriesAhead = 8

  private var rows: [Row] = []

  var memoryBytes: Int { rows.capacity * MemoryLayout<Row>.stride }

  mutating func clear() {
    rows.removeAll(keepingCapacity: true)
  }

  /// False when the key is no message's: then there is nothing to fold.
  @discardableResult
  @inline(__always)
  mutating func add(_ row: RecordRow, body: Range<Int>?, in bytes: RawSpan) -> Bool {
    guard let separator = EventKey.separator(row.key, of: bytes) else { return false }
    let hash = bytes.withUnsafeBytes { EntryHash.of(row.key, in: $0.baseAddress.unsafelyUnwrapped) }
    rows.append(
      Row(
        offset: row.offset.rawValue, timestamp: row.timestamp, hash: hash, keyStart: row.keyStart,
        keyLength: row.keyLength, separator: Int32(separator) - row.keyStart,
        bodyStart: Int32(body?.lowerBound ?? 0), bodyLength: body.map { Int32($0.count) } ?? -1))
    return true
  }

  /// Every row in order; its slot and its entry are on their way into the cache by then.
  @inline(__always)
  func forEachPrefetched(
    _ base: UnsafeRawPointer, _ table: ChannelTable, _ body: (borrowing Row) -> Void
  ) {
    rows.withUnsafeBufferPointer { rows in
      for index in rows.indices.prefix(RowScratch.slotsAhead) {
        table.prefetchSlot(rows[index].hash)
      }
      for index in rows.indices {
        if index + RowScratch.slotsAhead < rows.count {
          table.prefetchSlot(rows[index + RowScratch.slotsAhead].hash)
        }
        if index + RowScratch.entriesAhead < rows.count {
          let row = rows[index + RowScratch.entriesAhead]
          table.prefetchEntry(row.hash, bytes: Int(row.keyLength) &+ Int(row.bodyLength))
        }
        body(rows[index])
      }
    }
  }
}
