public import PropertyTesting

/// What was tried of the laws that hold.
public struct LawReport<Law: LawNumber>: Sendable, CustomStringConvertible {
  /// The projection or the log.
  public let subject: String
  /// What was tried of each law.
  public internal(set) var reports: [Law: PropertyReport] = [:]
  /// The laws that could not be checked, and what is missing.
  public internal(set) var skipped: [Law: String] = [:]
  /// A hash of every state that law 1 folded; 0 for a log. A test that states it proves the law across processes, hash seeds and machines: the same
  /// options give the same hash everywhere. Another release of Signalbox may make other histories, and so another hash.
  public internal(set) var statesHash: UInt64 = 0

  init(subject: String) { self.subject = subject }

  /// A paragraph for each law.
  public var description: String {
    let held = reports.sorted { $0.key < $1.key }.map(\.value.description)
    let left = skipped.sorted { $0.key < $1.key }.map { "\($0.key): not checked: \($0.value)" }
    return (held + left).joined(separator: "\n")
  }
}

/// The laws that do not hold, each with the simplest case that was found.
public struct LawsBroken: Error, CustomStringConvertible {
  /// One for each broken law. The name begins with the law's number: `law 6, compaction: channels`.
  public var failures: [PropertyFailure]

  /// All there is to know.
  public var description: String { failures.map(\.description).joined(separator: "\n\n") }

  /// The failure of one law, or nil when it holds.
  public func failure(of law: some LawNumber) -> PropertyFailure? {
    failures.first { $0.name.hasPrefix("\(law):") }
  }
}

/// A law by its number: a `ProjectionLaw` or a `LogLaw`.
public protocol LawNumber: Hashable, Comparable, Sendable, CustomStringConvertible {}

extension ProjectionLaw: LawNumber {}
extension LogLaw: LawNumber {}
