/// A `SlotRoute` read in place: its epoch, and where its node lies.
public struct SlotRouteFields: Equatable, Sendable {
  /// UTF-8 of the owner; empty for none.
  public var node: Range<Int>
  /// Under which it owns the slot.
  public var epoch: UInt64

  /// Reads the body that `EventEnvelope` found at `body`.
  public init(body: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    node = body.lowerBound..<body.lowerBound
    epoch = 0
    var reader = WireReader(body)
    while let field = try reader.next(in: bytes) {
      switch (field.number, field.wireType) {
      case (1, 2):
        // Also where a later field displaces it.
        try WireText.check(field.range, of: bytes)
        node = field.range
      case (2, 0): epoch = field.number64
      case (1...2, _): throw .malformed
      default: break
      }
    }
  }
}
