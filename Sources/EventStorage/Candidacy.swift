/// One of several processes that would write as the same writer.
public protocol Candidacy: Sendable {
  /// Whether this one should. Two may be told so for a moment, and one that was paused may still believe it: fencing decides (law 16).
  var isElected: Bool { get }
  /// Why this one cannot be heard, and so not be elected; nil when it can.
  var trouble: String? { get }
  /// Leaves it to the others, who need not wait until this one is missed.
  func withdraw()
}

extension Candidacy {
  /// None.
  public var trouble: String? { nil }
}

/// The only candidate there is.
public struct SoleCandidate: Candidacy {
  /// A candidate without rivals.
  public init() {}
  /// Always.
  public var isElected: Bool { true }
  /// There is nobody to leave it to.
  public func withdraw() {}
}
