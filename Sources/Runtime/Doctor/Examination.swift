/// What was looked at in a log, and what came of it.
package struct Examination: Equatable, Sendable {
  /// How it is.
  package enum Outcome: String, Sendable {
    case fine
    /// It works, but not as well or as safely as it could.
    case advised
    /// Something is or will be lost.
    case refused
    /// Nothing to look at: the way Signalbox writes rules it out.
    case byDesign = "by design"
    /// It cannot be seen from here.
    case unseen = "not seen"
  }

  /// Which trap of compacted topics it is about, such as `T5`; empty for what is no trap.
  package var trap: String
  package var outcome: Outcome
  /// What was found, and what to do about it.
  package var text: String

  package init(_ trap: String, _ outcome: Outcome, _ text: String) {
    self.trap = trap
    self.outcome = outcome
    self.text = text
  }
}
