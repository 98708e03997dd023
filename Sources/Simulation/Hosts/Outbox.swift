internal import EventStorage

/// What the log has answered and the host has not sent yet. Completions are Sendable, so they cannot hold the world itself.
///
/// Sendable because a world has one thread.
final class Outbox: @unchecked Sendable {
  enum Reply {
    case append(
      Result<Appended, LogError>, UInt64, AppendBatch, Partition, Envelope, after: Int)
    case fence(Result<Writer, LogError>, Partition, Envelope)
  }

  private var replies: [Reply] = []

  func add(_ reply: Reply) { replies.append(reply) }

  func take() -> [Reply] {
    defer { replies = [] }
    return replies
  }

  func clear() { replies = [] }
}

/// The clock that a log is given, set before it is asked to do something.
///
/// Sendable because a world has one thread.
final class SharedClock: @unchecked Sendable {
  var milliseconds: Int64 = 0
}
