import EventStorage

/// A record that was lent, owned.
struct HeldRecord: Equatable {
  var offset: Offset
  var timestamp: Int64
  var key: [UInt8]
  var value: [UInt8]?
}

/// Keeps what it is lent: the records, and the bytes they were in.
struct HeldRecords: RecordSink {
  var records: [HeldRecord] = []
  /// The records of the last batch, as they are stored.
  var stored: [UInt8] = []
  var next = Offset.zero

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    stored = bytes.withUnsafeBytes { Array($0) }
    for index in rows.indices {
      let row = rows[index]
      records.append(
        HeldRecord(
          offset: row.offset, timestamp: row.timestamp, key: Array(stored[row.key]),
          value: row.isTombstone ? nil : Array(stored[row.value])))
    }
    self.next = next
  }
}
