/// What a record's value says it is, before its body is read.
public enum EventEnvelope: Equatable, Sendable {
  /// A known event; its body lies at these bytes of the value.
  case event(EventType, body: Range<Int>)
  /// A type this version does not know (law 11).
  case unknown

  /// Reads the envelope of the value at `range` of `bytes`.
  ///
  /// As proto3 demands, the last body wins and unknown fields beside it are skipped.
  public static func read(
    _ range: Range<Int>, of bytes: RawSpan
  ) throws(DecodeFailure) -> EventEnvelope {
    var reader = WireReader(range)
    var found: EventEnvelope = .unknown
    while let field = try reader.next(in: bytes) {
      guard field.number <= 255, let type = EventType(rawValue: UInt8(field.number)) else {
        continue
      }
      guard field.wireType == 2 else { throw .malformed }
      found = .event(type, body: field.range)
    }
    return found
  }
}
