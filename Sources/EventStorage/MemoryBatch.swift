/// A batch as the memory log holds it: the bytes of its records in one piece, and where each lies.
struct MemoryBatch: Sendable {
  let bytes: [UInt8]
  private(set) var rows: [RecordRow]
  /// The position behind the batch as it was appended; compaction leaves it where it is.
  private(set) var next: Offset = .zero
  /// Sizes of all batches before this one, as they were appended or last compacted.
  var sizeBefore = 0

  /// What the batch takes in memory, in bytes.
  var size: Int { bytes.count + rows.count * MemoryLayout<RecordRow>.stride }

  /// Records that have no place yet.
  init(_ records: [NewRecord]) {
    self.init(records.map { ($0, .zero, 0) })
  }

  private init(_ records: [(record: NewRecord, offset: Offset, timestamp: Int64)]) {
    var bytes: [UInt8] = []
    var rows: [RecordRow] = []
    bytes.reserveCapacity(records.reduce(0) { $0 + $1.record.byteCount })
    rows.reserveCapacity(records.count)
    for (record, offset, timestamp) in records {
      let keyStart = bytes.count
      bytes += record.key
      let valueStart = bytes.count
      if let value = record.value { bytes += value }
      rows.append(
        RecordRow(
          offset: offset, timestamp: timestamp, keyStart: Int32(keyStart),
          keyLength: Int32(record.key.count), valueStart: Int32(valueStart),
          valueLength: record.value.map { Int32($0.count) } ?? -1))
    }
    self.bytes = bytes
    self.rows = rows
  }

  /// Gives the records the offsets from `first` on and one append time.
  mutating func place(at first: Offset, timestamp: Int64) {
    for index in rows.indices {
      rows[index].offset = Offset(first.rawValue + Int64(index))
      rows[index].timestamp = timestamp
    }
    next = Offset(first.rawValue + Int64(rows.count))
  }

  /// The same batch with fewer records, at the offsets they had.
  func keeping(_ isKept: (RecordRow) -> Bool) -> MemoryBatch {
    let kept = rows.filter(isKept)
    if kept.count == rows.count { return self }
    var batch = MemoryBatch(
      kept.map { row in
        let value = row.isTombstone ? nil : Array(bytes[row.value])
        return (NewRecord(key: key(of: row), value: value), row.offset, row.timestamp)
      })
    batch.next = next
    return batch
  }

  /// The key of one of the rows.
  func key(of row: RecordRow) -> [UInt8] { Array(bytes[row.key]) }

  /// Lends the records from `offset` on. A batch without any is not lent.
  func lend<Sink: RecordSink & ~Copyable>(from offset: Offset, to sink: inout Sink) {
    let first = rows.firstIndex { $0.offset >= offset } ?? rows.endIndex
    if first == rows.endIndex { return }
    sink.apply(bytes.span.bytes, rows.span.extracting(first...), next: next)
  }
}
