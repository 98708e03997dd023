/// Why a property does not hold, and how to see it again.
public struct PropertyFailure: Error, CustomStringConvertible {
  /// What went wrong.
  public enum Reason: Sendable {
    /// A case threw `error`.
    case broken(Counterexample)
    /// Too many cases were left out.
    case discarded(cases: Int, discards: Int)
    /// A label was seen less often than it must be.
    case unseen(label: String, share: Double, required: Double)
    /// The options cannot be used.
    case unusable([String])
    /// The task was cancelled.
    case cancelled(cases: Int)
  }

  /// The property.
  public var name: String
  /// What went wrong.
  public var reason: Reason
  /// The seed that gave the cases.
  public var seed: UInt64
  /// The file and the function that stated the property, as `#fileID` and `#function` give them.
  public var fileID: String
  /// See `fileID`.
  public var function: String

  /// The case that failed, when one did.
  public var counterexample: Counterexample? {
    if case .broken(let found) = reason { found } else { nil }
  }
}

/// A case that fails, made as simple as it went.
public struct Counterexample: Sendable {
  /// Repeats the case.
  public var tape: Tape
  /// What the case said about itself.
  public var notes: [String]
  /// What it threw.
  public var error: any Error
  /// What was thrown before the case was made simpler.
  public var firstError: any Error
  /// The number of the case that failed first, from 1.
  public var number: Int
  /// How often the case became simpler.
  public var shrinks: Int
  /// How often cases were run again: once as found, and then each simpler case that was tried.
  public var replays: Int
  /// Whether `shrinksMax` ended the search before nothing simpler was left to try.
  public var isCutShort: Bool
  /// Whether the first failing case failed again when it was repeated. When it did not, the property depends on more than its choices.
  public var isRepeatable: Bool
}

extension PropertyFailure {
  /// All there is to know, several lines.
  public var description: String {
    switch reason {
    case .broken(let found): text(of: found)
    case .discarded(let cases, let discards):
      """
      '\(name)' gave up: \(discards) cases were left out while \(cases) counted (seed \(seed)).
      Build what the property needs instead of requiring it, or raise discardsPerCaseMax.
      """
    case .unseen(let label, let share, let required):
      """
      '\(name)' holds, but saw '\(label)' in \(percent(share)) of its cases, and \(percent(required)) \
      are required (seed \(seed)).
      Make the generator give it more often, or lower mustSee.
      """
    case .unusable(let problems):
      "'\(name)' was not run:\n" + problems.map { "  \($0)" }.joined(separator: "\n")
    case .cancelled(let cases): "'\(name)' was cancelled after \(cases) cases"
    }
  }

  /// A shell command that runs the failing case alone; nil when no case failed.
  public var command: String? {
    guard let tape = counterexample?.tape else { return nil }
    return "SIGNALBOX_PROPERTY_TAPE=\(quoted("\(name)=\(tape.withoutLastZeros)")) "
      + "swift test --filter \(quoted(filter))"
  }

  private func text(of found: Counterexample) -> String {
    var lines = ["'\(name)' does not hold: \(found.error)"]
    for note in found.notes {
      lines += note.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
    }
    let first = String(describing: found.firstError)
    if first != String(describing: found.error) { lines.append("  at first: \(first)") }
    let end = found.isCutShort ? ", ended by shrinksMax" : ""
    lines.append(
      "  seed \(seed), case \(found.number), made simpler \(found.shrinks) times in "
        + "\(found.replays) replays\(end)")
    if !found.isRepeatable {
      lines.append(
        "  repeated, the case did NOT fail: the property depends on more than its choices")
    }
    lines.append("  tape \(found.tape.withoutLastZeros)")
    if let command { lines.append("  again: \(command)") }
    return lines.joined(separator: "\n")
  }

  /// A pattern for the test's name. What has a meaning in patterns is left open.
  private var filter: String {
    let module = fileID.split(separator: "/").first ?? ""
    let test = function.prefix { $0 != "(" }.filter { $0 != "`" }
    return "\(module).*" + String(test.map { "[]{}()*+?.\\^$|/".contains($0) ? "." : $0 })
  }

  private func quoted(_ text: String) -> String {
    "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
      + "'"
  }
}
