/// A `MessagePublished` read in place: where its fields lie in the span it was read from.
public struct MessageFields: Equatable, Sendable {
  /// UTF-8 of the message's id.
  public var id: Range<Int>
  /// UTF-8 of the content type; empty means `application/octet-stream`.
  public var contentType: Range<Int>
  /// The payload.
  public var data: Range<Int>
  /// Milliseconds since 1970; 0 never expires.
  public var expiresAt: Int64

  /// Reads the body that `EventEnvelope` found at `body`.
  public init(body: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    precondition(
      0 <= body.lowerBound && body.upperBound <= bytes.byteCount, "\(body) is not in the bytes")
    self.init(nothingAt: body.lowerBound)
    if readPlain(body, of: bytes) {
      try WireText.check(id, of: bytes)
      try WireText.check(contentType, of: bytes)
    } else {
      try readAny(body, of: bytes)
    }
  }

  /// Reads what Signalbox writes: the four fields in their order, lengths below 16,384. False when there is anything else, good or bad.
  ///
  /// Every load is unchecked: its offset is below `body.upperBound`, which lies within the bytes.
  @inline(__always)
  private mutating func readPlain(_ body: Range<Int>, of bytes: RawSpan) -> Bool {
    let end = body.upperBound
    var position = body.lowerBound
    guard MessageFields.readPlain(1, into: &id, at: &position, end, of: bytes),
      MessageFields.readPlain(2, into: &contentType, at: &position, end, of: bytes),
      MessageFields.readPlain(3, into: &data, at: &position, end, of: bytes)
    else { return false }
    guard position < end else { return true }
    // The time comes last; as a number of milliseconds it has six bytes.
    guard bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self) == 4 << 3,
      let time = plainNumber(position &+ 1..<end, of: bytes)
    else { return false }
    expiresAt = time
    return true
  }

  /// Reads a field, if it is the next. False when its length is not a plain one.
  @inline(__always)
  private static func readPlain(
    _ number: UInt8, into field: inout Range<Int>, at position: inout Int, _ end: Int,
    of bytes: RawSpan
  ) -> Bool {
    guard position &+ 1 < end,
      bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self) == number << 3 | 2
    else { return true }
    position &+= 1
    guard let length = WireReader.plainLength(at: &position, end, in: bytes) else { return false }
    field = Range(uncheckedBounds: (position, position &+ length))
    position &+= length
    return true
  }

  /// A varint of at most eight bytes that fills the range, or nil.
  @inline(__always)
  private func plainNumber(_ range: Range<Int>, of bytes: RawSpan) -> Int64? {
    guard 1...8 ~= range.count else { return nil }
    var value: Int64 = 0
    for offset in range {
      let byte = bytes.unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
      value |= Int64(byte & 0x7f) << Int64(7 &* (offset &- range.lowerBound))
      if byte < 0x80 { return offset &+ 1 == range.upperBound ? value : nil }
    }
    return nil
  }

  @inline(never)
  private mutating func readAny(_ body: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    self = MessageFields(nothingAt: body.lowerBound)
    var reader = WireReader(body)
    while let field = try reader.next(in: bytes) {
      switch (field.number, field.wireType) {
      case (1, 2):
        // Also where a later field displaces it.
        try WireText.check(field.range, of: bytes)
        id = field.range
      case (2, 2):
        try WireText.check(field.range, of: bytes)
        contentType = field.range
      case (3, 2): data = field.range
      case (4, 0): expiresAt = Int64(bitPattern: field.number64)
      case (1...4, _): throw .malformed
      default: break
      }
    }
  }

  private init(nothingAt position: Int) {
    id = position..<position
    contentType = position..<position
    data = position..<position
    expiresAt = 0
  }
}
