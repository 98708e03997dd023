import EventStorage

/// A log in memory that refuses every append: what a full or broken disk looks like from here.
final class RefusingLog: EventLog {
  private let log = makeLog()
  private let error: LogError

  init(_ error: LogError) { self.error = error }

  var identity: LogIdentity { log.identity }
  var layout: LogLayout { log.layout }

  func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    completion(.failure(error))
  }

  func fence(writer id: Int64, in partition: Partition) async throws(LogError) -> Writer {
    try await log.fence(writer: id, in: partition)
  }

  func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    try log.bounds(of: partition)
  }

  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    try log.read(partition, from: offset, bytesMax: bytesMax, into: &sink)
  }

  func tailStart(of partition: Partition, bytesMax: Int) throws(LogError) -> Offset {
    try log.tailStart(of: partition, bytesMax: bytesMax)
  }

  func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool {
    log.waitForRecords(in: partition, after: offset, for: duration)
  }

  func close() { log.close() }
}
