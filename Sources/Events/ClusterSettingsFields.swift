/// A `ClusterSettings` read in place.
public struct ClusterSettingsFields: Equatable, Sendable {
  /// Partitions of every topic but topology.
  public var partitions: UInt32
  /// Whether too many nodes look failed to believe it.
  public var isFrozen: Bool

  /// Reads the body that `EventEnvelope` found at `body`.
  public init(body: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    partitions = 0
    isFrozen = false
    var reader = WireReader(body)
    while let field = try reader.next(in: bytes) {
      switch (field.number, field.wireType) {
      case (1, 0): partitions = UInt32(truncatingIfNeeded: field.number64)
      case (2, 0): isFrozen = field.number64 != 0
      case (1...2, _): throw .malformed
      default: break
      }
    }
  }
}
