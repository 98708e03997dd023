import EventStorage

/// What a log holds, as tests compare it.
struct HeldRecord: Hashable {
  var offset: Int64
  var key: [UInt8]
  var value: [UInt8]?
}

private struct Holding: RecordSink {
  var records: [HeldRecord] = []

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    func copy(_ range: Range<Int>) -> [UInt8] {
      range.map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    }
    for index in rows.indices {
      let row = rows[index]
      records.append(
        HeldRecord(
          offset: row.offset.rawValue, key: copy(row.key),
          value: row.isTombstone ? nil : copy(row.value)))
    }
  }
}

extension EventLog {
  /// Everything from an offset on; from the start without one.
  func held(_ partition: Partition, from offset: Offset? = nil) throws -> [HeldRecord] {
    var sink = Holding()
    _ = try read(
      partition, from: offset ?? bounds(of: partition).start, bytesMax: .max, into: &sink)
    return sink.records
  }

  func offsets(_ partition: Partition, from offset: Offset? = nil) throws -> [Int64] {
    try held(partition, from: offset).map(\.offset)
  }
}
