internal import EventStorage

/// What one partition must hold: every record that became visible, and every append that may yet.
struct PartitionLedger {
  struct Entry {
    var offset: Int64
    /// Of key, value and whether there is one.
    var content: UInt64
    var key: UInt64
    var timestamp: Int64
    var isTombstone: Bool
  }

  /// An append that the log was asked for and that is not settled.
  struct Attempt {
    var number: UInt64
    var contents: [UInt64]
    var keys: [UInt64]
    var tombstones: [Bool]
    var idempotencyKey: String?
    var writer: Writer?
  }

  let partition: Partition
  var entries: [Entry] = []
  var end = Offset.zero
  private(set) var attempts: [Attempt] = []
  /// Where each idempotency key came to lie.
  private var places: [String: Offset] = [:]
  /// What was asked of a cluster.
  var cluster = ClusterLedger()
  /// The newest record of each key.
  var newest: [UInt64: Int64] = [:]
  /// The newest life of each writer that is in, and from where on.
  private(set) var epochs: [Int64: Int16] = [:]
  /// Nothing before it need be there, on a topic that is not compacted.
  var start = Offset.zero
  private(set) var horizon = Offset.zero
  var acknowledged = 0

  init(_ partition: Partition) { self.partition = partition }

  // MARK: What is asked of the log

  mutating func attempt(_ number: UInt64, _ batch: AppendBatch) {
    attempts.append(
      Attempt(
        number: number, contents: batch.records.map(contentOf), keys: batch.records.map(keyOf),
        tombstones: batch.records.map { $0.value == nil },
        idempotencyKey: batch.idempotencyKey, writer: batch.writer))
  }

  /// The log is another one now: what was not written never will be.
  mutating func forgetAttempts() { attempts = [] }

  mutating func observe(_ bounds: LogBounds) {
    start = max(start, bounds.start)
    horizon = max(horizon, bounds.tombstoneHorizon)
  }

  // MARK: What the log shows

  /// Takes in records that became visible behind the end.
  mutating func admit(_ batch: ServedBatch) throws(Broken) {
    var index = 0
    while index < batch.rows.count {
      guard batch.rows[index].offset >= end else {
        throw Broken(13, "\(partition) shows offset \(batch.rows[index].offset) twice")
      }
      let content = contentOf(batch.rows[index], in: batch.bytes)
      guard let place = attempt(of: content) else {
        throw Broken(13, "\(partition) holds at \(batch.rows[index].offset) what nobody appended")
      }
      let attempt = attempts.remove(at: place)
      try check(attempt, at: batch.rows[index].offset)
      for part in attempt.contents.indices {
        guard index < batch.rows.count,
          contentOf(batch.rows[index], in: batch.bytes) == attempt.contents[part]
        else { throw Broken(13, "\(partition) holds a part of an append only") }
        let row = batch.rows[index]
        guard row.timestamp >= entries.last?.timestamp ?? .min else {
          throw Broken(13, "in \(partition) time runs back at \(row.offset)")
        }
        entries.append(
          Entry(
            offset: row.offset.rawValue, content: attempt.contents[part], key: attempt.keys[part],
            timestamp: row.timestamp, isTombstone: attempt.tombstones[part]))
        newest[attempt.keys[part]] = row.offset.rawValue
        index += 1
      }
    }
    end = max(end, batch.next)
  }

  /// Two writers may want the same fact: then it is the one's that may write.
  private func attempt(of content: UInt64) -> Int? {
    attempts.firstIndex { $0.contents.first == content && breach(of: $0) == nil }
      ?? attempts.firstIndex { $0.contents.first == content }
  }

  mutating func advance(to end: Offset) { self.end = max(self.end, end) }

  private mutating func check(_ attempt: Attempt, at offset: Offset) throws(Broken) {
    if let (law, detail) = breach(of: attempt) {
      throw Broken(law, "\(partition) shows at \(offset) \(detail)")
    }
    if let key = attempt.idempotencyKey { places[key] = offset }
  }

  private func breach(of attempt: Attempt) -> (law: Int, detail: String)? {
    if let key = attempt.idempotencyKey, let first = places[key] {
      return (18, "the append \(key), which lies at \(first)")
    }
    if let writer = attempt.writer, let current = epochs[writer.id], writer.epoch < current {
      return (16, "a record of epoch \(writer.epoch) after epoch \(current) was in")
    }
    return nil
  }

  /// The log answered an append.
  mutating func acknowledge(
    _ number: UInt64, _ batch: AppendBatch, _ answer: Result<Appended, LogError>
  ) throws(Broken) {
    switch answer {
    case .failure(.stopped), .failure(.full), .failure(.closed):
      // It may be there after the next opening.
      return
    case .failure: attempts.removeAll { $0.number == number }
    case .success(let appended):
      acknowledged += 1
      if let key = batch.idempotencyKey, let first = places[key], first != appended.first {
        throw Broken(18, "the append \(key) lies at \(first) and was answered \(appended.first)")
      }
      if let writer = batch.writer, let current = epochs[writer.id], writer.epoch < current {
        throw Broken(16, "epoch \(writer.epoch) was acknowledged after epoch \(current) was in")
      }
      guard !appended.isRepeat else {
        attempts.removeAll { $0.number == number }
        return
      }
      var place = index(of: appended.first)
      for record in batch.records {
        guard place < entries.count, entries[place].content == contentOf(record),
          entries[place].offset < appended.end.rawValue
        else {
          throw Broken(
            13, "\(partition) acknowledged \(appended.first)..<\(appended.end) and shows else")
        }
        place += 1
      }
    }
  }

  /// Somebody was told that an append is there.
  func check(acknowledged key: String, before end: Offset) throws(Broken) {
    guard let place = places[key], place.rawValue + 1 == end.rawValue else {
      throw Broken(13, "\(key) was acknowledged before \(end) of \(partition) and is not there")
    }
  }

  /// A new life of a writer is in.
  mutating func fenced(_ writer: Writer) throws(Broken) {
    if let current = epochs[writer.id], writer.epoch <= current {
      throw Broken(16, "\(partition) let in epoch \(writer.epoch) after epoch \(current)")
    }
    epochs[writer.id] = writer.epoch
  }

  /// Compares what a reader was lent from `offset` to `next` with what is there; what is missing must be compacted rightly.
  ///
  /// - Parameter told: before here the reader knows that tombstones may be gone; when nil, what the log has said counts.
  func check(
    _ batches: [ServedBatch], from offset: Offset, to next: Offset, told: Offset? = nil
  ) throws(Broken) {
    let horizon = told ?? horizon
    var place = index(of: offset)
    for batch in batches {
      for row in batch.rows {
        while place < entries.count, entries[place].offset < row.offset.rawValue {
          try checkMissing(entries[place], horizon)
          place += 1
        }
        guard place < entries.count, entries[place].offset == row.offset.rawValue else {
          throw Broken(13, "\(partition) shows \(row.offset), where nothing was")
        }
        guard entries[place].content == contentOf(row, in: batch.bytes),
          entries[place].timestamp == row.timestamp
        else { throw Broken(14, "\(partition) shows at \(row.offset) what was not written") }
        place += 1
      }
    }
    while place < entries.count, entries[place].offset < next.rawValue {
      try checkMissing(entries[place], horizon)
      place += 1
    }
  }

  private func checkMissing(_ entry: Entry, _ horizon: Offset) throws(Broken) {
    if entry.offset < start.rawValue { return }
    guard partition.topic.isCompacted else {
      throw Broken(13, "\(partition) lost offset \(entry.offset)")
    }
    if let later = newest[entry.key], later > entry.offset { return }
    if entry.isTombstone, entry.offset < horizon.rawValue { return }
    throw Broken(
      entry.isTombstone ? 6 : 13,
      "\(partition) lost offset \(entry.offset), the last record of its key")
  }

  /// The first entry at or behind an offset.
  func index(of offset: Offset) -> Int {
    var lower = 0
    var upper = entries.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if entries[middle].offset < offset.rawValue { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }
}

/// A law that does not hold, before the world adds where and when.
struct Broken: Error {
  var law: Int
  var detail: String

  init(_ law: Int, _ detail: String) {
    self.law = law
    self.detail = detail
  }
}

func keyOf(_ record: NewRecord) -> UInt64 { contentHash(record.key) }

func contentOf(_ record: NewRecord) -> UInt64 {
  let key = keyOf(record)
  guard let value = record.value else { return key &+ 1 }
  return contentHash(value, seed: key)
}

func contentOf(_ row: RecordRow, in bytes: [UInt8]) -> UInt64 {
  let span = bytes.span.bytes
  let key = contentHash(span.extracting(row.key))
  return row.isTombstone ? key &+ 1 : contentHash(span.extracting(row.value), seed: key)
}
