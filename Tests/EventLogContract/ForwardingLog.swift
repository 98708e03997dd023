package import EventStorage

/// A log that hands everything on to another: what a test log is made of that does one thing otherwise.
package protocol ForwardingLog: EventLog {
  associatedtype Base: EventLog
  /// Who does it.
  var base: Base { get }
}

extension ForwardingLog {
  package var identity: LogIdentity { base.identity }

  package var layout: LogLayout { base.layout }

  package func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    base.append(batch, to: partition, completion: completion)
  }

  package func fence(writer id: Int64, in partition: Partition) async throws(LogError) -> Writer {
    try await base.fence(writer: id, in: partition)
  }

  package func candidacy(forWriter id: Int64) throws(LogError) -> any Candidacy {
    try base.candidacy(forWriter: id)
  }

  package func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    try base.bounds(of: partition)
  }

  package func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    try base.read(partition, from: offset, bytesMax: bytesMax, into: &sink)
  }

  package func tailStart(of partition: Partition, bytesMax: Int) throws(LogError) -> Offset {
    try base.tailStart(of: partition, bytesMax: bytesMax)
  }

  package func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool {
    base.waitForRecords(in: partition, after: offset, for: duration)
  }

  package func age(of partition: Partition) -> Duration? { base.age(of: partition) }

  package func close() { base.close() }
}
