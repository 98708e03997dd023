internal import EventStorage

/// For every key the offset of its last record, keys told apart by 128 bits of a keyed hash.
///
/// `Hasher` is seeded at random in every process, so nobody can make two keys that meet here; and what compaction
/// keeps does not depend on the seed.
struct KeyOffsets {
  private struct Digest: Hashable {
    var first: Int
    var second: Int
  }

  private var last: [Digest: Int64] = [:]

  var count: Int { last.count }

  mutating func set(_ offset: Offset, of key: RawSpan) {
    last[KeyOffsets.digest(key)] = offset.rawValue
  }

  /// True when a later record of this key is known.
  func supersedes(_ offset: Offset, of key: RawSpan) -> Bool {
    guard let known = last[KeyOffsets.digest(key)] else { return false }
    return known > offset.rawValue
  }

  private static func digest(_ key: RawSpan) -> Digest {
    unsafe key.withUnsafeBytes { bytes in
      var first = Hasher()
      first.combine(UInt8(0))
      unsafe first.combine(bytes: bytes)
      var second = Hasher()
      second.combine(UInt8(1))
      unsafe second.combine(bytes: bytes)
      return Digest(first: first.finalize(), second: second.finalize())
    }
  }
}

/// Learns the keys of one batch after another.
struct KeyLearner: BatchVisitor {
  var offsets = KeyOffsets()
  /// Records before this were compacted earlier.
  var from: Offset

  mutating func visit(_ records: RawSpan, _ header: BatchHeader) throws(BatchDamage) {
    guard !header.isControl else { return }
    var rows = RowCollector()
    try walkRecords(records, header, &rows)
    for (row, _) in rows.rows where row.offset >= from {
      offsets.set(row.offset, of: records.extracting(row.key))
    }
  }
}

/// The rows of one batch, each with the extent of its record.
struct RowCollector: RecordVisitor {
  var rows: [(row: RecordRow, extent: Range<Int>)] = []

  mutating func visit(_ row: RecordRow, extent: Range<Int>, headersStart: Int) {
    rows.append((row, extent))
  }
}
