import EventLogContract
import EventStorage

/// A log in memory that refuses every append: what a full or broken disk looks like from here.
final class RefusingLog: ForwardingLog {
  let base = makeLog()
  private let error: LogError

  init(_ error: LogError) { self.error = error }

  func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    completion(.failure(error))
  }
}
