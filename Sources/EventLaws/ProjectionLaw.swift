/// The laws of a projection (laws 1 to 12).
public enum ProjectionLaw: Int, CaseIterable, Comparable, Sendable {
  /// Two folds of the same records have the same canonical bytes.
  case determinism = 1
  /// Any split into batches gives the same fold.
  case batching = 2
  /// A fold that is written and read at any position goes on to the same state.
  case snapshot = 3
  /// Rewinds and duplicates, guarded by position, change nothing.
  case redelivery = 4
  /// State and position are one, and the position never goes back.
  case atomicPosition = 5
  /// A compacted log folds to the same state.
  case compaction = 6
  /// A resume from before the tombstone horizon is refused, a later one is right.
  case resume = 7
  /// A deleted key stays deleted.
  case deletion = 8
  /// Partitions may be read in any interleaving.
  case commutativity = 9
  /// A record that cannot be decoded affects its own key only, is counted, and can be written anew.
  case poison = 10
  /// An unknown event type changes nothing but a counter, and in a compacted topic its own key.
  case forwardTolerance = 11
  /// Older versions mean what today's mean.
  case upcasting = 12

  /// By number.
  public static func < (left: ProjectionLaw, right: ProjectionLaw) -> Bool {
    left.rawValue < right.rawValue
  }
}

extension ProjectionLaw: CustomStringConvertible {
  /// `law 6, compaction`.
  public var description: String {
    let name =
      switch self {
      case .determinism: "determinism"
      case .batching: "batching"
      case .snapshot: "snapshot"
      case .redelivery: "redelivery"
      case .atomicPosition: "atomic position"
      case .compaction: "compaction"
      case .resume: "resume under compaction"
      case .deletion: "deletion"
      case .commutativity: "commutativity"
      case .poison: "poison"
      case .forwardTolerance: "forward tolerance"
      case .upcasting: "upcasting"
      }
    return "law \(rawValue), \(name)"
  }
}
