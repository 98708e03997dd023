/// A `JoinRequested` read in place.
public struct JoinFields: Equatable, Sendable {
  /// Relative weight.
  public var capacity: UInt32
  /// UTF-8 of where the gateway reaches the node; empty for a node that fetches.
  public var url: Range<Int>

  /// Reads the body that `EventEnvelope` found at `body`.
  public init(body: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    capacity = 0
    url = body.lowerBound..<body.lowerBound
    var reader = WireReader(body)
    while let field = try reader.next(in: bytes) {
      switch (field.number, field.wireType) {
      case (1, 0): capacity = UInt32(truncatingIfNeeded: field.number64)
      case (2, 2):
        // Also where a later field displaces it.
        try WireText.check(field.range, of: bytes)
        url = field.range
      case (1...2, _): throw .malformed
      default: break
      }
    }
  }
}

/// A `LeaveRequested` read in place.
public struct LeaveFields: Equatable, Sendable {
  /// Which life of the node leaves; 0 for whichever is in.
  public var incarnation: UInt64

  /// Reads the body that `EventEnvelope` found at `body`.
  public init(body: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    incarnation = 0
    var reader = WireReader(body)
    while let field = try reader.next(in: bytes) {
      switch (field.number, field.wireType) {
      case (1, 0): incarnation = field.number64
      case (1, _): throw .malformed
      default: break
      }
    }
  }
}
