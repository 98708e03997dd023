public import EventStorage
public import PropertyTesting

/// A log together with what can happen to it. Implement it for a log, and `checkLaws(ofLog:)` checks laws 13 to 18, 6 and 30 on it.
///
/// What a log cannot do, or what cannot be done to it, is left out of `abilities`, and the laws that need it are left out too.
public protocol LogUnderTest {
  /// The log.
  associatedtype Log: EventLog
  /// What can be done to it besides opening it once.
  static var abilities: Set<LogAbility> { get }
  /// Opens the log: an empty one the first time, afterwards what closing it or a crash has left.
  mutating func open() async throws -> Log
  /// The machine loses its power. Whatever `log` has not synced is lost, or torn, as the choices say; `log` is not used any more
  /// but for being closed, which must change nothing then.
  mutating func crash(_ log: Log, _ choices: inout Choices) async throws
  /// From now on, something goes wrong at an operation not far away: a write or a sync fails.
  mutating func failSoon(_ log: Log, _ choices: inout Choices) async throws
  /// Compacts some of the partition, and of others if it likes.
  mutating func compact(
    _ log: Log, _ partition: Partition, _ choices: inout Choices
  ) async throws
  /// Changes bytes in the middle of what is stored of the partition, while the log is closed: before the last batch, which a log may
  /// take for one that never became durable.
  mutating func damage(_ partition: Partition, _ choices: inout Choices) async throws
}

/// What can be done to a log.
public enum LogAbility: Hashable, Sendable {
  /// Closing it and opening it again.
  case restart
  /// `LogUnderTest.crash`. Needs `restart`.
  case crash
  /// `LogUnderTest.failSoon`. Needs `crash`.
  case failure
  /// `LogUnderTest.compact`.
  case compaction
  /// `LogUnderTest.damage`. Needs `restart`.
  case damage
}

/// For what is not among the abilities.
extension LogUnderTest {
  /// Does nothing.
  public mutating func crash(_ log: Log, _ choices: inout Choices) async throws {}
  /// Does nothing.
  public mutating func failSoon(_ log: Log, _ choices: inout Choices) async throws {}
  /// Does nothing.
  public mutating func compact(
    _ log: Log, _ partition: Partition, _ choices: inout Choices
  ) async throws {}
  /// Does nothing.
  public mutating func damage(_ partition: Partition, _ choices: inout Choices) async throws {}
}

/// The laws of a log (laws 13 to 18, and laws 6 and 30 where the log compacts itself).
public enum LogLaw: Int, CaseIterable, Comparable, Sendable {
  /// What compaction leaves is legal: no more is gone than may be.
  case compaction = 6
  /// What was acknowledged survives every crash, in order, once and whole.
  case durability = 13
  /// Damage in the middle is named, never served.
  case corruption = 14
  /// After a failed write or sync nothing is acknowledged before a restart.
  case failedSync = 15
  /// An older life of a writer is kept out.
  case fencing = 16
  /// The same appends give the same log as in memory.
  case agreement = 17
  /// Appending again under the same idempotency key adds nothing and is answered as the first time.
  case idempotence = 18
  /// Behind its clean point a log says at every place what it said there before it was compacted.
  case timeTravel = 30

  /// By number.
  public static func < (left: LogLaw, right: LogLaw) -> Bool { left.rawValue < right.rawValue }

  var needed: Set<LogAbility> {
    switch self {
    case .compaction, .timeTravel: [.compaction]
    case .durability: [.restart, .crash]
    case .corruption: [.restart, .damage]
    case .failedSync: [.restart, .crash, .failure]
    case .fencing, .agreement, .idempotence: []
    }
  }
}

extension LogLaw: CustomStringConvertible {
  /// `law 13, acked is durable`.
  public var description: String {
    let name =
      switch self {
      case .compaction: "compaction"
      case .durability: "acked is durable"
      case .corruption: "corruption is found"
      case .failedSync: "a failed sync stops the log"
      case .fencing: "fencing"
      case .agreement: "backends agree"
      case .idempotence: "idempotent append"
      case .timeTravel: "time travel"
      }
    return "law \(rawValue), \(name)"
  }
}
