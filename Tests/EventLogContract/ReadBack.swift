import EventStorage

/// A record as it was read, owned.
struct ReadRecord: Equatable {
  var offset: Offset
  var timestamp: Int64
  var record: NewRecord
}

/// Copies what it is lent, and remembers the first breach of the promises made to a sink.
struct ReadBack: RecordSink {
  private(set) var records: [ReadRecord] = []
  private(set) var next: Offset
  private(set) var breach: String?

  init(from offset: Offset) { next = offset }

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices {
      let row = rows[index]
      if row.offset < self.next { breach("offset \(row.offset) was lent after \(self.next)") }
      if row.offset >= next { breach("offset \(row.offset) lies behind its batch, \(next)") }
      guard row.key.lowerBound >= 0, row.key.upperBound <= bytes.byteCount,
        row.value.lowerBound >= 0, row.value.upperBound <= bytes.byteCount
      else {
        breach("the row of offset \(row.offset) points outside its \(bytes.byteCount) bytes")
        continue
      }
      records.append(
        ReadRecord(
          offset: row.offset, timestamp: row.timestamp,
          record: NewRecord(
            key: Array(row.key, of: bytes),
            value: row.isTombstone ? nil : Array(row.value, of: bytes))))
      self.next = Offset(row.offset.rawValue + 1)
    }
    if next < self.next { breach("the position went back from \(self.next) to \(next)") }
    self.next = next
  }

  private mutating func breach(_ what: String) { breach = breach ?? what }
}

extension Array where Element == UInt8 {
  fileprivate init(_ range: Range<Int>, of bytes: RawSpan) {
    self = bytes.extracting(range).withUnsafeBytes { Array($0) }
  }
}

extension EventLog {
  /// Reads once.
  func readOnce(
    _ partition: Partition, from offset: Offset, bytesMax: Int = 1 << 20
  ) throws -> (records: [ReadRecord], next: Offset) {
    var sink = ReadBack(from: offset)
    let next = try read(partition, from: offset, bytesMax: bytesMax, into: &sink)
    if let breach = sink.breach { throw ContractFailure(description: "\(partition): \(breach)") }
    try expect(
      next >= sink.next, "\(partition): a read returned \(next), but it lent up to \(sink.next)")
    return (sink.records, next)
  }

  /// Reads until the end, as it is when it gets there.
  func readBack(
    _ partition: Partition, from offset: Offset? = nil, bytesMax: Int = 1 << 20
  ) throws -> [ReadRecord] {
    var position = try offset ?? bounds(of: partition).start
    var records: [ReadRecord] = []
    while true {
      let (more, next) = try readOnce(partition, from: position, bytesMax: bytesMax)
      records += more
      if next == position {
        let end = try bounds(of: partition).end
        if next == end { return records }
        try expect(next < end, "\(partition): read up to \(next), but the end is \(end)")
        // Records may have come between the read and the question; a second read tells.
        let again = try readOnce(partition, from: position, bytesMax: bytesMax)
        try expect(
          again.next > position,
          "\(partition): reading from \(position) does not move on, but the end is \(end)")
        records += again.records
        position = again.next
      } else {
        try expect(next > position, "\(partition): a read from \(position) returned \(next)")
        position = next
      }
    }
  }
}
