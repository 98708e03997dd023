import EventLaws
import EventStorage
import PropertyTesting
import Synchronization

/// What is wrong with a `JournalLog`, if anything is.
enum JournalBug {
  /// It acknowledges an append before the next one makes it durable.
  case acknowledgesEarly
  /// It serves a batch that does not match its checksum.
  case servesDamage
  /// It goes on after a sync has failed.
  case goesOnAfterFailure
  /// It forgets over a restart which writers are fenced.
  case forgetsEpochs
  /// It makes an empty value a tombstone.
  case losesEmptyValues
  /// It forgets over a restart which idempotency keys it has answered.
  case forgetsKeys
  /// It drops the tombstones below the clean point, which is behind the horizon that it tells.
  case dropsTombstonesEarly
  /// It does not say what it has compacted.
  case hidesCleanPoint
}

/// A log in memory over a journal that survives a crash as far as it was synced.
final class JournalLog: EventLog {
  struct Entry: Sendable {
    enum Operation: Sendable {
      case append(AppendBatch)
      case fence(Int64)
    }

    var partition: Partition
    var operation: Operation
    /// What the checksum says.
    var isDamaged = false
  }

  private struct Journal {
    var entries: [Entry]
    var synced: Int
    var syncsUntilFailure: Int?
    var isStopped = false
  }

  private let bug: JournalBug?
  private let memory: MemoryLog
  private let damage: [Partition: Offset]
  private let journal: Mutex<Journal>

  var identity: LogIdentity { memory.identity }
  var layout: LogLayout { memory.layout }
  /// What a crash leaves for certain, and everything.
  var left: (synced: Int, entries: [Entry]) { journal.withLock { ($0.synced, $0.entries) } }

  init(replaying entries: [Entry], _ bug: JournalBug?) async throws {
    self.bug = bug
    memory = MemoryLog(identity: LogIdentity(5), layout: LogLayout(partitions: 1))
    journal = Mutex(Journal(entries: entries, synced: entries.count))
    var damage: [Partition: Offset] = [:]
    for entry in entries where damage[entry.partition] == nil {
      if entry.isDamaged, bug != .servesDamage {
        damage[entry.partition] = try memory.bounds(of: entry.partition).end
        continue
      }
      switch entry.operation {
      case .append(var batch):
        // Whoever was let in then is let in now.
        if bug == .forgetsEpochs { batch.writer = nil }
        if bug == .forgetsKeys { batch.idempotencyKey = nil }
        _ = try await memory.append(batch, to: entry.partition)
      case .fence(let id):
        let writer = bug == .forgetsEpochs ? id + 1_000 : id
        _ = try await memory.fence(writer: writer, in: entry.partition)
      }
    }
    self.damage = damage
  }

  /// The sync after so many others fails.
  func failSync(after count: Int) { journal.withLock { $0.syncsUntilFailure = count } }

  func compact(
    _ partition: Partition, before cleanPoint: Offset, dropTombstonesBefore horizon: Offset
  ) throws {
    try memory.compact(
      partition, before: cleanPoint,
      dropTombstonesBefore: bug == .dropsTombstonesEarly ? cleanPoint : horizon)
  }

  func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    // Memory would answer a batch whose sync has failed.
    if journal.withLock({ $0.isStopped }) {
      return completion(.failure(.stopped(detail: "a sync has failed")))
    }
    var batch = batch
    if bug == .losesEmptyValues {
      batch.records = batch.records.map {
        NewRecord(key: $0.key, value: $0.value?.isEmpty == true ? nil : $0.value)
      }
    }
    let wanted = Entry(partition: partition, operation: .append(batch))
    memory.append(batch, to: partition) { result in
      guard case .success(let appended) = result, !appended.isRepeat else {
        return completion(result)
      }
      completion(
        Result { () throws(LogError) in
          try self.write(wanted)
          return Appended(first: appended.first, end: appended.end)
        })
    }
  }

  func fence(writer id: Int64, in partition: Partition) async throws(LogError) -> Writer {
    try write(Entry(partition: partition, operation: .fence(id)))
    return try await memory.fence(writer: id, in: partition)
  }

  private func write(_ entry: Entry) throws(LogError) {
    try journal.withLock { journal throws(LogError) in
      if journal.isStopped { throw .stopped(detail: "a sync has failed") }
      journal.entries.append(entry)
      if let count = journal.syncsUntilFailure {
        journal.syncsUntilFailure = count == 0 ? nil : count - 1
        if count == 0 {
          journal.isStopped = bug != .goesOnAfterFailure
          throw .stopped(detail: "a sync failed")
        }
      }
      journal.synced = journal.entries.count - (bug == .acknowledgesEarly ? 1 : 0)
    }
  }

  func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    var bounds = try memory.bounds(of: partition)
    if damage[partition] != nil { bounds.end = Offset(.max) }
    if bug == .dropsTombstonesEarly { bounds.tombstoneHorizon = .zero }
    if bug == .hidesCleanPoint { bounds.cleanPoint = .zero }
    return bounds
  }

  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    if offset == damage[partition] {
      throw .corrupt(partition, at: offset, detail: "the checksum does not match")
    }
    return try memory.read(partition, from: offset, bytesMax: bytesMax, into: &sink)
  }

  func tailStart(of partition: Partition, bytesMax: Int) throws(LogError) -> Offset {
    try memory.tailStart(of: partition, bytesMax: bytesMax)
  }

  func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool { memory.waitForRecords(in: partition, after: offset, for: duration) }

  func close() { memory.close() }
}

/// A journal that is kept while its log is not open.
struct JournalUnderTest: LogUnderTest {
  static let abilities: Set<LogAbility> = [.restart, .crash, .failure, .compaction, .damage]
  let bug: JournalBug?
  private var entries: [JournalLog.Entry] = []
  private var current: JournalLog?

  init(_ bug: JournalBug? = nil) { self.bug = bug }

  mutating func open() async throws -> JournalLog {
    if let current { entries = current.left.entries }
    let log = try await JournalLog(replaying: entries, bug)
    current = log
    return log
  }

  mutating func crash(_ log: JournalLog, _ choices: inout Choices) {
    let (synced, all) = log.left
    entries = Array(all.prefix(synced + choices.int(in: 0...all.count - synced)))
    current = nil
  }

  func failSoon(_ log: JournalLog, _ choices: inout Choices) {
    log.failSync(after: choices.int(in: 0...3))
  }

  func compact(_ log: JournalLog, _ partition: Partition, _ choices: inout Choices) throws {
    let end = try log.bounds(of: partition).end.rawValue
    let cleanPoint = end - Int64(choices.int(in: 0...Int(end)))
    let horizon = choices.int(in: 0...Int(cleanPoint))
    try log.compact(
      partition, before: Offset(cleanPoint), dropTombstonesBefore: Offset(Int64(horizon)))
  }

  mutating func damage(_ partition: Partition, _ choices: inout Choices) {
    entries = current?.left.entries ?? entries
    current = nil
    let places = entries.indices.filter { entries[$0].partition == partition }
    let place = choices.element(of: places)
    entries[place].isDamaged = true
    if case .append(var batch) = entries[place].operation {
      batch.records[0].key[0] ^= 1
      entries[place].operation = .append(batch)
    }
  }
}
