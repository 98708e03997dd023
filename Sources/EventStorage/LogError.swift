/// Why a log did not do what it was asked to. Says where; its description says what to do.
public enum LogError: Error, Equatable, Sendable {
  /// The partition is not in this log's layout.
  case noSuchPartition(Partition)
  /// A batch is empty, or a record, a batch or a key is over its limit. Nothing was appended.
  case tooLarge(what: String, size: Int, limit: Int)
  /// A newer life of this writer is in (law 16). Nothing was appended.
  case fenced(writer: Writer, current: Int16)
  /// No room on the disk. Space must be made and the log opened again; then it is known whether the batch was appended.
  case full(detail: String)
  /// Writing or syncing failed: the log has stopped and must be opened again (law 15). Then it is known whether the batch was appended.
  case stopped(detail: String)
  /// The log was closed.
  case closed
  /// The broker of the log does not answer, or says that it cannot now. Nothing was appended; it may be tried again.
  case unavailable(detail: String)
  /// Whether the batch was appended is not known: the log went away with it. Try again under the same idempotency key.
  case outcomeUnknown(detail: String)
  /// Bytes in the middle of the log are not what was written (law 14).
  case corrupt(Partition, at: Offset, detail: String)
  /// The offset is below what the log still holds; reading can begin at `start`.
  case trimmed(Partition, start: Offset)
  /// The offset is behind the end of the log: it was read from another log, or this one lost its tail.
  case beyondEnd(Partition, end: Offset)
  /// The log cannot be opened: where, why and what to do.
  case cannotOpen(path: String, reason: String, remedy: String)
}

extension LogError {
  /// True when the partition takes nothing more until the log is opened again.
  package var isStop: Bool {
    switch self {
    case .full, .stopped: true
    default: false
    }
  }
}

extension LogError: CustomStringConvertible {
  /// One line: what, where, what to do.
  public var description: String {
    switch self {
    case .noSuchPartition(let partition):
      "\(partition) is not a partition of this log"
    case .tooLarge(let what, 0, _):
      "\(what) is empty; nothing was appended"
    case .tooLarge(let what, let size, let limit):
      "\(what): \(size), but the limit is \(limit); nothing was appended"
    case .fenced(let writer, let current):
      "writer \(writer.id) of epoch \(writer.epoch) is fenced by epoch \(current); stop it"
    case .full(let detail):
      "the log has no room: \(detail); make space and start again"
    case .stopped(let detail):
      "the log has stopped: \(detail); check the disk and start again"
    case .closed:
      "the log is closed"
    case .unavailable(let detail):
      "the log cannot be reached: \(detail); nothing was appended, try again later"
    case .outcomeUnknown(let detail):
      "the log went away with the batch under way: \(detail); it may have been appended, try again "
        + "under the same idempotency key"
    case .corrupt(let partition, let offset, let detail):
      "\(partition) is damaged at offset \(offset): \(detail); restore it from a copy"
    case .trimmed(let partition, let start):
      "\(partition) holds nothing before offset \(start); read from there"
    case .beyondEnd(let partition, let end):
      "\(partition) ends at offset \(end); the position asked for lies behind it"
    case .cannotOpen(let path, let reason, let remedy):
      "cannot open the log \(path): \(reason); \(remedy)"
    }
  }
}
