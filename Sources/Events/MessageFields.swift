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
    let none = body.lowerBound..<body.lowerBound
    id = none
    contentType = none
    data = none
    expiresAt = 0
    var reader = WireReader(body)
    while let field = try reader.next(in: bytes) {
      switch (field.number, field.wireType) {
      case (1, 2): id = field.range
      case (2, 2): contentType = field.range
      case (3, 2): data = field.range
      case (4, 0): expiresAt = Int64(bitPattern: field.number64)
      case (1...4, _): throw .malformed
      default: break
      }
    }
    try WireText.check(id, of: bytes)
    try WireText.check(contentType, of: bytes)
  }
}
