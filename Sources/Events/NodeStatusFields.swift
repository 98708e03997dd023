/// A `NodeStatus` read in place: numbers, and where its text lies.
public struct NodeStatusFields: Equatable, Sendable {
  /// As `NodeStatus.State` numbers them; 255 for what no version knows.
  public var state: UInt8
  /// Which life of the node.
  public var incarnation: UInt64
  /// Relative weight.
  public var capacity: UInt32
  /// UTF-8 of where the gateway reaches the node; empty for a node that fetches.
  public var url: Range<Int>

  /// Reads the body that `EventEnvelope` found at `body`.
  public init(body: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    state = 0
    incarnation = 0
    capacity = 0
    url = body.lowerBound..<body.lowerBound
    var reader = WireReader(body)
    while let field = try reader.next(in: bytes) {
      switch (field.number, field.wireType) {
      case (1, 0): state = UInt8(exactly: Int32(truncatingIfNeeded: field.number64)) ?? 255
      case (2, 0): incarnation = field.number64
      case (3, 0): capacity = UInt32(truncatingIfNeeded: field.number64)
      case (4, 2):
        // Also where a later field displaces it.
        try WireText.check(field.range, of: bytes)
        url = field.range
      case (1...4, _): throw .malformed
      default: break
      }
    }
  }
}
