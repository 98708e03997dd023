/// Which life of a writer a transactional client writes for, and what it knows of others. Decides, and does nothing.
///
/// The broker keeps older clients out and not older lives: a client that begins anew is the newest one even when its life is over. So
/// whoever has begun anew writes only after the control topic was asked.
package struct WriterLife: Sendable {
  package enum Admission: Equatable, Sendable {
    /// The client at hand writes for this life, and nobody newer has come without fencing it.
    case writes
    /// It is over.
    case isOver
    /// It is older than the one that the client writes for.
    case isOlder(than: Int16)
    /// The control topic knows.
    case mustAsk
  }

  /// The life that the client writes for; nil when it must be let in first.
  package private(set) var current: Int16?
  /// The newest life known to be over.
  package private(set) var lost: Int16?

  package init() {}

  package func admission(of epoch: Int16, hasClient: Bool) -> Admission {
    if let lost, epoch <= lost { return .isOver }
    guard let current, hasClient else { return .mustAsk }
    if epoch == current { return .writes }
    return epoch < current ? .isOlder(than: current) : .mustAsk
  }

  /// A client has begun for this life.
  package mutating func begin(_ epoch: Int16) { current = epoch }

  /// There is no client, or one that began anew to end what the one before it had open.
  package mutating func forget() { current = nil }

  /// The broker has fenced the client.
  /// - Returns: the life that is over with it.
  package mutating func lose() -> Int16? {
    defer { current = nil }
    if let current { lost = max(lost ?? current, current) }
    return current
  }
}
