/// What a record's value says it is, before its body is read.
public enum EventEnvelope: Equatable, Sendable {
  /// A known event; its body lies at these bytes of the value.
  case event(EventType, body: Range<Int>)
  /// A type this version does not know (law 11).
  case unknown

  /// Reads the envelope of the value at `range` of `bytes`.
  ///
  /// Unknown fields beside the body are skipped, as proto3 demands. A second body is refused: nobody writes one, and proto3 would have
  /// it merged with the first, which cannot be read in place.
  public static func read(
    _ range: Range<Int>, of bytes: RawSpan
  ) throws(DecodeFailure) -> EventEnvelope {
    precondition(
      0 <= range.lowerBound && range.upperBound <= bytes.byteCount, "\(range) is not in the bytes")
    if let plain = readPlain(range, of: bytes) { return plain }
    return try readAny(range, of: bytes)
  }

  /// Reads what Signalbox writes: a known event of less than 16,384 bytes, and nothing else. Nil when it is anything else, good or bad.
  ///
  /// The loads are unchecked: their offsets are below the end of the range, which lies within the bytes.
  @inline(__always)
  private static func readPlain(_ range: Range<Int>, of bytes: RawSpan) -> EventEnvelope? {
    let end = range.upperBound
    guard range.lowerBound < end else { return nil }
    let tag = bytes.unsafeLoad(fromUncheckedByteOffset: range.lowerBound, as: UInt8.self)
    var start = range.lowerBound &+ 1
    guard tag & 0x87 == 2, let type = EventType(rawValue: tag &>> 3),
      let length = WireReader.plainLength(at: &start, end, in: bytes), length == end &- start
    else { return nil }
    return .event(type, body: Range(uncheckedBounds: (start, end)))
  }

  @inline(never)
  private static func readAny(
    _ range: Range<Int>, of bytes: RawSpan
  ) throws(DecodeFailure) -> EventEnvelope {
    var reader = WireReader(range)
    var found: EventEnvelope = .unknown
    while let field = try reader.next(in: bytes) {
      guard field.number <= 255, let type = EventType(rawValue: UInt8(field.number)) else {
        continue
      }
      guard field.wireType == 2, case .unknown = found else { throw .malformed }
      found = .event(type, body: field.range)
    }
    return found
  }
}
