/// The place of a record in its partition. Offsets only grow, are never used again, and have holes.
///
/// As a position it means "everything before me". Only a log makes positions: nobody adds one to an offset.
public struct Offset: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// Where every partition begins.
  public static let zero = Offset(0)

  /// As Kafka counts it: 0 or more.
  public var rawValue: Int64

  /// The offset with this number.
  public init(_ rawValue: Int64) { self.rawValue = rawValue }

  /// The number.
  public var description: String { "\(rawValue)" }

  /// By number.
  public static func < (left: Offset, right: Offset) -> Bool { left.rawValue < right.rawValue }
}
