package import EventStorage
internal import Glibc
internal import Synchronization

/// The embedded log: partitions of segments in a directory, with the semantics of a broker.
///
///     <path>/log.json                         which log this is
///     <path>/moved.json                       where it went on, when it did
///     <path>/lock                             held by the process that has it open
///     <path>/messages-0/<base offset>.log     a segment: batches, one after another
///     <path>/messages-0/<base offset>.index   where some of its batches begin; can be made again
///     <path>/messages-0/appends.state         writers and idempotency keys
///     <path>/messages-0/compaction.state      how far compaction has come
package final class SegmentedLog: EventLog {
  package let identity: LogIdentity
  package let layout: LogLayout
  let partitions: [Partition: PartitionLog]
  let maintenance: Maintenance
  private let lock: Mutex<(any DiskFile)?>
  /// Buffers kept for later reads. More readers at once make their own and drop them.
  static let keptReadersMax = 8
  private let readers = Mutex<[SegmentReader]>([])

  /// Opens the log in the directory `path`, or makes one there.
  package init(
    opening path: String, options: Options = Options(), on disk: any Disk = POSIXDisk()
  ) throws(LogError) {
    let directory = try LogDirectory(path, options: options, disk: disk, processID: getpid())
    identity = directory.identity
    layout = directory.layout
    lock = Mutex(directory.lock)
    var partitions: [Partition: PartitionLog] = [:]
    let health = LogHealth()
    for partition in directory.layout.all {
      let place = PartitionPlace(partition, inLog: path, of: directory.identity, on: disk)
      partitions[partition] = try PartitionLog(place, options: options, health: health)
    }
    self.partitions = partitions
    maintenance = Maintenance(of: partitions, options)
    maintenance.start()
  }

  deinit { close() }

  package func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    do throws(LogError) {
      let held = try held(partition)
      held.enqueue(.append(batch, bytes: try batch.checkLimits(), completion))
    } catch {
      completion(.failure(error))
    }
  }

  package func fence(
    writer id: Int64, in partition: Partition
  ) async throws(LogError) -> Writer {
    let result = await withCheckedContinuation { continuation in
      fence(writer: id, in: partition) { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  /// As `append`, begins a new life of a writer and tells `completion`.
  package func fence(
    writer id: Int64, in partition: Partition,
    completion: @escaping @Sendable (Result<Writer, LogError>) -> Void
  ) {
    do throws(LogError) {
      guard id >= 0 else {
        throw .tooLarge(what: "a negative writer id", size: Int(id), limit: 0)
      }
      try held(partition).enqueue(.fence(id, completion))
    } catch {
      completion(.failure(error))
    }
  }

  /// Makes everything durable that waits, on the caller's thread. For a log whose commits are `.whenAsked`.
  /// - Returns: how many appends and other operations were performed.
  @discardableResult
  package func commitOnce() -> Int {
    layout.all.reduce(0) { $0 + (partitions[$1]?.commitOnce() ?? 0) }
  }

  package func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    try held(partition).bounds()
  }

  package func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    let held = try held(partition)
    let reader = readers.withLock { $0.popLast() } ?? SegmentReader()
    defer { giveBack(reader) }
    var position = offset
    var budget = bytesMax
    repeat {
      guard let location = try held.locate(position) else { break }
      position = try reader.read(
        location, at: held.place, from: position, budget: &budget, into: &sink)
    } while budget > 0
    return position
  }

  package func tailStart(
    of partition: Partition, bytesMax: Int
  ) throws(LogError) -> Offset {
    try held(partition).tailStart(bytesMax: bytesMax)
  }

  package func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool {
    partitions[partition]?.waitForRecords(after: offset, for: duration) ?? false
  }

  package func close() {
    maintenance.stop()
    for partition in layout.all { partitions[partition]?.close() }
    lock.withLock { $0 = nil }
  }

  func held(_ partition: Partition) throws(LogError) -> PartitionLog {
    guard let held = partitions[partition] else { throw .noSuchPartition(partition) }
    return held
  }

  private func giveBack(_ reader: SegmentReader) {
    guard !reader.isLarge else { return }
    reader.forget()
    readers.withLock { if $0.count < SegmentedLog.keptReadersMax { $0.append(reader) } }
  }
}
