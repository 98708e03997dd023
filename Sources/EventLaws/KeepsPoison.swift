public import Projections

/// A projection that shows which records it could not use: law 10 then checks that they are kept.
public protocol KeepsPoison {
  /// The last records that could not be used, the oldest first; up to `RecentPoison.recordsMax` of them.
  var poisonRecords: [PoisonRecord] { get }
}

extension Channels: KeepsPoison {
  /// See `poisoned`.
  public var poisonRecords: [PoisonRecord] { poisoned.records }
}

extension Directory: KeepsPoison {
  /// See `poisoned`.
  public var poisonRecords: [PoisonRecord] { poisoned.records }
}

extension RoutingTable: KeepsPoison {
  /// See `poisoned`.
  public var poisonRecords: [PoisonRecord] { poisoned.records }
}
