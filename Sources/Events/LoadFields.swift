/// A `LoadReported` read in place.
public struct LoadFields: Equatable, Sendable {
  /// Which life of the node.
  public var incarnation: UInt64
  /// Messages it is working on.
  public var inFlight: UInt32
  /// How long a message takes.
  public var latencyMicroseconds: UInt32
  /// Relative weight.
  public var capacity: UInt32

  /// Reads the body that `EventEnvelope` found at `body`.
  public init(body: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    incarnation = 0
    inFlight = 0
    latencyMicroseconds = 0
    capacity = 0
    var reader = WireReader(body)
    while let field = try reader.next(in: bytes) {
      switch (field.number, field.wireType) {
      case (1, 0): incarnation = field.number64
      case (2, 0): inFlight = UInt32(truncatingIfNeeded: field.number64)
      case (3, 0): latencyMicroseconds = UInt32(truncatingIfNeeded: field.number64)
      case (4, 0): capacity = UInt32(truncatingIfNeeded: field.number64)
      case (1...4, _): throw .malformed
      default: break
      }
    }
  }
}
