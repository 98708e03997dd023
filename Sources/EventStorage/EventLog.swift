/// What a log is: partitions of records, appended in batches, read in order, compacted by key.
///
/// The same contract on memory, disk and Kafka; `EventLogContract` in the tests says it as checks. Reads are synchronous and may
/// block on the disk or the network: call them on a thread of your own, never on an event loop.
///
/// A log behind a network may throw `.unavailable` from everything that throws: nothing was done, and it may be tried again. Its
/// appends may besides be refused with `.outcomeUnknown`. Appends that are under way together may come to lie in any order.
public protocol EventLog: Sendable, SendableMetatype {
  /// Which log this is.
  var identity: LogIdentity { get }
  /// How many partitions it has.
  var layout: LogLayout { get }

  /// Appends a batch. `completion` is called once, when the batch is durable and visible or when it is refused, on a
  /// thread of the log or, before this returns, on the caller's: it must not block.
  ///
  /// Refused with `.noSuchPartition`, `.tooLarge`, `.fenced`, `.full`, `.stopped`, `.closed`. An older life of a writer is
  /// refused even when it repeats an idempotency key.
  func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void)

  /// Begins a new life of a writer: every older one is kept out of `partition` from now on (law 16). Durable when it returns.
  ///
  /// What it writes may take an offset that no record ever has.
  func fence(writer id: Int64, in partition: Partition) async throws(LogError) -> Writer

  /// Stands for election as the process that writes as `id`. Ended with the log, or before.
  func candidacy(forWriter id: Int64) throws(LogError) -> any Candidacy

  /// Where the partition begins and ends now. The end never lies inside a batch.
  /// - Throws: `.noSuchPartition`, `.closed`.
  func bounds(of partition: Partition) throws(LogError) -> LogBounds

  /// Lends the sink whole batches from the one that holds `offset` on, until at least `bytesMax` of them are read or the end is reached.
  ///
  /// Records before `offset` in the first batch are left out. Reading at the end lends nothing and returns `offset`. Reading
  /// before it always moves on: by a batch at least, whatever `bytesMax` is, or over a hole, which may lend nothing.
  /// - Returns: the position after what was lent.
  /// - Throws: `.noSuchPartition`, `.trimmed`, `.beyondEnd`, `.corrupt` (after lending what comes before the damage), `.closed`.
  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset

  /// The earliest position from which reading to the end lends about `bytesMax` bytes of batches, as they are stored: the start
  /// when there are fewer, never an earlier one for fewer bytes.
  /// - Throws: `.noSuchPartition`, `.closed`.
  func tailStart(of partition: Partition, bytesMax: Int) throws(LogError) -> Offset

  /// Blocks until the partition's end is behind `offset`, or the time is up, or the log is closed.
  ///
  /// - Returns: true when the end is behind `offset`; false when the time is up, the log is closed or there is no such partition.
  func waitForRecords(in partition: Partition, after offset: Offset, for duration: Duration) -> Bool

  /// How long ago it was that everything up to the partition's end was here to be read; nil when it has not been yet.
  ///
  /// A log behind a network may be cut off from it, and then lends what it has. Does not block.
  func age(of partition: Partition) -> Duration?

  /// Stops appends, waits for those under way to become durable, and lets go of the log. Waiting readers wake. May be called again.
  ///
  /// Every completion is called, if not before this returns then soon after. From then on everything else throws `.closed`.
  func close()
}

/// The extent of a partition.
public struct LogBounds: Hashable, Sendable {
  /// The first offset that can be read from.
  public var start: Offset
  /// The position behind the last committed record.
  public var end: Offset
  /// Tombstones before this position may be gone: a reader that resumes from before it may miss deletions (law 7).
  public var tombstoneHorizon: Offset
  /// Before this position records may be gone that a later one replaced: what the log said at an earlier place cannot be told from it
  /// any more (law 30).
  public var cleanPoint: Offset
  /// No record before the clean point, gone or not, is of a later time than this. Milliseconds since 1970.
  public var cleanTime: Int64
  /// Grows whenever records have gone from before the horizon, for as long as the log is open: a run of compaction that has said how
  /// far it will go takes them away piece by piece.
  public var cleanings: Int

  /// The extent of a partition, in which nothing was replaced unless told otherwise.
  public init(
    start: Offset, end: Offset, tombstoneHorizon: Offset, cleanPoint: Offset = .zero,
    cleanTime: Int64 = .min, cleanings: Int = 0
  ) {
    self.start = start
    self.end = end
    self.tombstoneHorizon = tombstoneHorizon
    self.cleanPoint = cleanPoint
    self.cleanTime = cleanTime
    self.cleanings = cleanings
  }
}

extension EventLog {
  /// A log that belongs to one process has no other candidate.
  public func candidacy(forWriter id: Int64) throws(LogError) -> any Candidacy { SoleCandidate() }

  /// A log in this process knows its ends.
  public func age(of partition: Partition) -> Duration? { .zero }

  /// Appends a batch and waits until it is durable and visible.
  public func append(
    _ batch: AppendBatch, to partition: Partition
  ) async throws(LogError) -> Appended {
    let result = await withCheckedContinuation { continuation in
      append(batch, to: partition) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  /// The position behind every committed record.
  public func end() throws(LogError) -> Position {
    var position = Position(log: identity, offsets: [:])
    for partition in layout.all { position[partition] = try bounds(of: partition).end }
    return position
  }
}
