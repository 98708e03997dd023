import EventStorage
import PropertyTesting
import SegmentStorage

/// Stored batches: refused, or what is read is the same after it was encoded and read again.
enum RecordBatch {
  @Sendable static func test(_ bytes: [UInt8]) throws {
    try read(bytes)
    try read(RepairedBatches.of(bytes))
  }

  private static func read(_ bytes: [UInt8]) throws {
    var reader = try BatchReader()
    var rest = bytes.span.bytes
    while rest.byteCount > 0 {
      guard let header = try? BatchHeader(rest, check: .none), header.totalBytes <= rest.byteCount
      else { return }
      let batch = rest.extracting(first: header.totalBytes)
      var held = HeldRecords()
      do throws(BatchDamage) {
        try reader.lend(batch, header, from: .zero, into: &held)
      } catch {
        return
      }
      try check(held, header)
      try checkFromMiddle(held, batch, header, &reader)
      if !header.isControl, header.recordCount > 0 { try checkAgain(held, header, &reader) }
      rest = rest.extracting(droppingFirst: header.totalBytes)
    }
  }

  private static func check(_ held: HeldRecords, _ header: BatchHeader) throws {
    try hold(held.next, equals: Offset(header.next))
    try hold(held.records.count, equals: header.isControl ? 0 : Int(header.recordCount))
    try hold(held.stored.count <= BatchLimits.inflatedBytesMax, "\(held.stored.count) bytes")
    var least = Offset(header.baseOffset)
    for record in held.records {
      try hold(record.offset >= least && record.offset < held.next, "the offsets do not rise")
      least = Offset(record.offset.rawValue + 1)
    }
  }

  /// Reading from an offset on leaves out what is before it, and nothing else.
  private static func checkFromMiddle(
    _ held: HeldRecords, _ batch: RawSpan, _ header: BatchHeader, _ reader: inout BatchReader
  ) throws {
    guard let middle = held.records.dropFirst(held.records.count / 2).first else { return }
    var tail = HeldRecords()
    try reader.lend(batch, header, from: middle.offset, into: &tail)
    try hold(tail.records, equals: held.records.filter { $0.offset >= middle.offset })
  }

  /// As compaction does it, in both ways of storing.
  private static func checkAgain(
    _ held: HeldRecords, _ header: BatchHeader, _ reader: inout BatchReader
  ) throws {
    for compression in [Compression.none, .lz4(acceleration: 1)] {
      var encoder = BatchEncoder(check: .none, compression: compression)
      encoder.encode(keeping: held.stored.span.bytes, count: header.recordCount, of: header)
      var again = HeldRecords()
      try encoder.withBatch { batch in
        try reader.lend(batch, BatchHeader(batch, check: .none), from: .zero, into: &again)
      }
      try hold(again.records, equals: held.records)
      try hold(again.next, equals: held.next)
    }
  }
}
