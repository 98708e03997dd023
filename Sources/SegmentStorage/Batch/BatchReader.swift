package import EventStorage

/// Turns stored batches into rows, with one buffer and one table of rows that are used again for every batch.
package struct BatchReader: ~Copyable {
  private var inflater: Inflater
  private var inflated: [UInt8] = []
  private var rows: [RecordRow] = []

  package init() throws(BatchDamage) { inflater = try Inflater() }

  /// Verifies one whole batch and lends its records, without those before `offset`.
  ///
  /// Control batches, and batches that compaction emptied, lend no rows but still move the sink's position.
  package mutating func lend<Sink: RecordSink & ~Copyable>(
    _ batch: RawSpan, _ header: BatchHeader, from offset: Offset, into sink: inout Sink
  ) throws(BatchDamage) {
    guard header.matches(batch) else { throw .checksum }
    let body = batch.extracting(BatchHeader.byteCount..<header.totalBytes)
    let next = Offset(header.next)
    if header.isControl || header.recordCount == 0 {
      sink.apply(body, rows.span.extracting(first: 0), next: next)
    } else if header.codec == 0 {
      let count = try BatchReader.fill(&rows, body, header, from: offset)
      sink.apply(body, rows.span.extracting(first: count), next: next)
    } else {
      let (size, count) = try inflateAndFill(body, header, from: offset)
      unsafe sink.apply(
        inflated.span.bytes.extracting(first: size), rows.span.extracting(first: count), next: next)
    }
  }

  /// Verifies one whole batch and shows its records to `visitor`, lending it the inflated bytes first.
  mutating func visit<Visitor: BatchVisitor & ~Copyable>(
    _ batch: RawSpan, _ header: BatchHeader, _ visitor: inout Visitor
  ) throws(BatchDamage) {
    guard header.matches(batch) else { throw .checksum }
    let body = batch.extracting(BatchHeader.byteCount..<header.totalBytes)
    if header.codec == 0 {
      try visitor.visit(body, header)
    } else {
      let size = try inflater.inflate(body, into: &inflated)
      try unsafe visitor.visit(inflated.span.bytes.extracting(first: size), header)
    }
  }

  private mutating func inflateAndFill(
    _ body: RawSpan, _ header: BatchHeader, from offset: Offset
  ) throws(BatchDamage) -> (size: Int, count: Int) {
    let size = try inflater.inflate(body, into: &inflated)
    // A second name for the buffer: its span may not come from `self` while `rows` is changed.
    let buffer = inflated
    let count = try unsafe BatchReader.fill(
      &rows, buffer.span.bytes.extracting(first: size), header, from: offset)
    return (size, count)
  }

  private static func fill(
    _ rows: inout [RecordRow], _ records: RawSpan, _ header: BatchHeader, from offset: Offset
  ) throws(BatchDamage) -> Int {
    // The smallest record is 7 bytes: a count that lies costs no memory.
    guard Int(header.recordCount) <= records.byteCount / 7 else { throw .recordCount }
    if rows.count < Int(header.recordCount) {
      let blank = RecordRow(
        offset: .zero, timestamp: 0, keyStart: 0, keyLength: 0, valueStart: 0, valueLength: 0)
      rows = Array(repeating: blank, count: Int(header.recordCount))
    }
    // The rows are lent to a visitor by moving the array out and back: no copy, no count.
    var filler = RowFiller(rows: rows, from: offset)
    rows = []
    do throws(BatchDamage) {
      try walkRecords(records, header, &filler)
    } catch {
      rows = filler.rows
      throw error
    }
    rows = filler.rows
    return filler.count
  }
}

/// Sees whole batches.
protocol BatchVisitor: ~Copyable {
  mutating func visit(_ records: RawSpan, _ header: BatchHeader) throws(BatchDamage)
}

private struct RowFiller: RecordVisitor {
  var rows: [RecordRow]
  var count = 0
  let from: Offset

  init(rows: consuming [RecordRow], from: Offset) {
    self.rows = rows
    self.from = from
  }

  @inline(__always)
  mutating func visit(_ row: RecordRow, extent: Range<Int>, headersStart: Int) {
    guard row.offset >= from else { return }
    rows[count] = row
    count += 1
  }
}
