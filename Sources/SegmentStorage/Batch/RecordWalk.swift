internal import EventStorage

/// Sees the records of one batch in order.
protocol RecordVisitor: ~Copyable {
  /// `extent` is the whole record as stored, `headersStart` where its header count lies.
  mutating func visit(_ row: RecordRow, extent: Range<Int>, headersStart: Int)
}

/// Walks the inflated records of a batch. Every length is checked before it is used.
@inline(__always)
func walkRecords<Visitor: RecordVisitor & ~Copyable>(
  _ bytes: RawSpan, _ header: BatchHeader, _ visitor: inout Visitor
) throws(BatchDamage) {
  let end = bytes.byteCount
  var at = 0
  var previousDelta: Int64 = -1
  let isAppendTime = header.isLogAppendTime
  for _ in 0..<header.recordCount {
    let start = at
    guard let length = bytes.zigzag(at: &at, end: end), length > 0, length <= Int64(end - at)
    else { throw .recordLength }
    let recordEnd = at + Int(length)
    at += 1  // attributes: unused in this format
    guard let timeDelta = bytes.zigzag(at: &at, end: recordEnd),
      let delta = bytes.zigzag(at: &at, end: recordEnd),
      let keyLength = bytes.zigzag(at: &at, end: recordEnd),
      keyLength >= -1, keyLength <= Int64(recordEnd - at)
    else { throw .recordLength }
    guard delta > previousDelta, delta <= Int64(header.lastOffsetDelta) else { throw .offset }
    previousDelta = delta
    let keyStart = at
    at += Int(max(0, keyLength))
    guard let valueLength = bytes.zigzag(at: &at, end: recordEnd), valueLength >= -1,
      valueLength <= Int64(recordEnd - at)
    else { throw .recordLength }
    let valueStart = at
    at += Int(max(0, valueLength))
    guard at < recordEnd else { throw .recordLength }
    let (time, overflow) = header.baseTimestamp.addingReportingOverflow(timeDelta)
    guard !overflow else { throw .timestamp }
    visitor.visit(
      RecordRow(
        offset: Offset(header.baseOffset + delta),
        timestamp: isAppendTime ? header.maxTimestamp : time,
        keyStart: Int32(truncatingIfNeeded: keyStart),
        keyLength: Int32(truncatingIfNeeded: max(0, keyLength)),
        valueStart: Int32(truncatingIfNeeded: valueStart),
        valueLength: Int32(truncatingIfNeeded: valueLength)),
      extent: start..<recordEnd, headersStart: at)
    at = recordEnd
  }
  guard at == end else { throw .recordCount }
}

/// Calls `body` with the ranges of name and value of each header of a record. False when they are malformed.
func walkHeaders(
  _ bytes: RawSpan, from start: Int, to end: Int, _ body: (Range<Int>, Range<Int>) -> Void
) -> Bool {
  precondition(0 <= start && end <= bytes.byteCount, "\(start)..<\(end) is not in the bytes")
  var at = start
  guard let count = bytes.zigzag(at: &at, end: end), count >= 0, count <= Int64(end - at) else {
    return false
  }
  for _ in 0..<count {
    guard let nameLength = bytes.zigzag(at: &at, end: end), nameLength >= 0,
      nameLength <= Int64(end - at)
    else { return false }
    let name = at..<at + Int(nameLength)
    at = name.upperBound
    guard let valueLength = bytes.zigzag(at: &at, end: end), valueLength >= -1,
      valueLength <= Int64(end - at)
    else { return false }
    let value = at..<at + Int(max(0, valueLength))
    at = value.upperBound
    body(name, value)
  }
  return at == end
}
