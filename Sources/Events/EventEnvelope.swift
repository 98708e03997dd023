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
