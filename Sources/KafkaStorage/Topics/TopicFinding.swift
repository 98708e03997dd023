/// Something about a topic that is not as the log needs it, and what to do about it.
package struct TopicFinding: Equatable, Sendable, CustomStringConvertible {
  /// What it does to the log.
  package enum Weight: Equatable, Sendable {
    /// The log is not opened: records or deletions would be lost.
    case refused
    /// The log works, but not as well or as safely as it could.
    case advised
  }

  package let weight: Weight
  /// Which trap of compacted topics it is, such as `T5`; nil when none.
  package let trap: String?
  /// The name of the topic.
  package let topic: String
  /// What was found.
  package let found: String
  /// What to do.
  package let remedy: String

  package var description: String {
    "\(topic): \(found)\(trap.map { " (\($0))" } ?? ""); \(remedy)"
  }
}
