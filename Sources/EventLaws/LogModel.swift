import EventStorage
import PropertyTesting

/// What a partition must hold: everything that was acknowledged, and what may be there or not.
struct PartitionModel {
  /// Acknowledged, or found after a crash; in order.
  private(set) var records: [LoggedRecord] = []
  /// Asked for and neither acknowledged nor refused for good; in order.
  var pending: [AppendBatch] = []
  /// What the batch of each key was answered.
  private(set) var answers: [(key: String, answer: Appended)] = []
  /// The newest life of each writer.
  var epochs: [Int64: Int16] = [:]
  /// Writers whose last fence was neither acknowledged nor refused for good.
  var doubtful: Set<Int64> = []
  /// The position behind everything that was acknowledged.
  private(set) var end = Offset.zero
  /// No more is acknowledged before a restart.
  var isStopped = false
  /// Records may be gone by compaction.
  var isCompacted = false

  func answer(to key: String) -> Appended? { answers.first { $0.key == key }?.answer }

  /// Takes in a batch that was acknowledged.
  mutating func accept(_ batch: AppendBatch, _ answer: Appended) throws(NotHeld) {
    let newest = records.last?.timestamp ?? .min
    try hold(
      answer.first >= end, "law 13: a batch was placed at \(answer.first), before the end \(end)")
    try hold(
      answer.end.rawValue >= answer.first.rawValue + Int64(batch.records.count),
      "a batch of \(batch.records.count) was placed from \(answer.first) to \(answer.end)")
    for (index, record) in batch.records.enumerated() {
      records.append(
        LoggedRecord(
          record, offset: Offset(answer.first.rawValue + Int64(index)),
          timestamp: max(batch.timestamp, newest)))
    }
    end = answer.end
    if let key = batch.idempotencyKey { answers.append((key, answer)) }
  }

  /// A fence may take an offset.
  mutating func move(to end: Offset) { self.end = max(self.end, end) }

  /// Compares with what a log holds, and takes in what turns out to be there.
  ///
  /// - Returns: what compaction has taken.
  @discardableResult
  mutating func settle(
    _ found: [LoggedRecord], _ bounds: LogBounds
  ) throws(NotHeld) -> Set<LoggedRecord> {
    let old = found.prefix { $0.offset < end }
    if isCompacted {
      try legality(Array(old), bounds.tombstoneHorizon)
      try reach(Array(old), bounds)
    } else {
      try same(Array(old), records, "law 13: what was acknowledged")
    }
    var new = found[old.count...]
    for batch in pending {
      guard let first = new.first else { break }
      let part = new.prefix(batch.records.count)
      try same(
        part.map(\.record), batch.records,
        "law 13: behind what was acknowledged, batches that were not, each whole and in order")
      new = new.dropFirst(part.count)
      let last = part[part.index(before: part.endIndex)]
      try accept(batch, Appended(first: first.offset, end: last.next))
      try same(
        Array(part), Array(records.suffix(part.count)), "law 13: a batch that was not acknowledged")
    }
    pending = []
    try hold(new.isEmpty, "law 13: \(new.count) records that nobody appended: \(Array(new))")
    try hold(bounds.end >= end, "law 13: the log ends at \(bounds.end), before \(end)")
    return isCompacted ? Set(records).subtracting(found) : []
  }

  /// Laws 6 to 8: a record is gone only if a later one has its key, or if it is a tombstone before the horizon and nothing of its key
  /// is left before it.
  private func legality(_ found: [LoggedRecord], _ horizon: Offset) throws(NotHeld) {
    var left = found[...]
    var last: [[UInt8]: LoggedRecord] = [:]
    for record in records { last[record.key] = record }
    var kept: Set<Offset> = []
    for record in records where left.first?.offset == record.offset {
      try hold(left.first == record, "law 6: \(left.removeFirst()) was appended as \(record)")
      left = left.dropFirst()
      kept.insert(record.offset)
    }
    try hold(left.isEmpty, "law 6: records that were not appended, or not there: \(Array(left))")
    for (_, newest) in last.sorted(by: { $0.value.offset < $1.value.offset })
    where !kept.contains(newest.offset) {
      try hold(newest.value == nil, "law 6: \(newest) is gone, and it is the newest of its key")
      try hold(
        newest.offset < horizon,
        "law 7: the tombstone \(newest) is gone, but the tombstone horizon is \(horizon)")
      let older = records.last { $0.key == newest.key && kept.contains($0.offset) }
      try hold(
        older == nil, "law 8: \(older.map { "\($0)" } ?? "") has outlived its tombstone \(newest)")
    }
  }
}

/// Law 30.
extension PartitionModel {
  /// From the clean point on, and from the clean time on, every place can be told: nothing behind it is gone, and before it the newest
  /// record of each key is left.
  private func reach(_ found: [LoggedRecord], _ bounds: LogBounds) throws(NotHeld) {
    let kept = Set(found.map(\.offset))
    var newest: [[UInt8]: LoggedRecord] = [:]
    for record in records {
      if record.offset < bounds.cleanPoint {
        newest[record.key] = record
        try hold(
          record.timestamp <= bounds.cleanTime,
          "law 30: \(record) lies before the clean point, and its time behind the clean time \(bounds.cleanTime)"
        )
      } else {
        try hold(
          kept.contains(record.offset),
          "law 30: \(record) is gone, but the clean point is \(bounds.cleanPoint)")
      }
    }
    for (_, record) in newest.sorted(by: { $0.value.offset < $1.value.offset }) {
      try hold(
        kept.contains(record.offset) || record.value == nil,
        "law 30: at the clean point \(bounds.cleanPoint) the log said \(record), and it is gone")
    }
  }
}

/// Throws unless both are equal; shows the first difference.
func same<Value: Equatable>(
  _ found: [Value], _ expected: [Value], _ what: String
) throws(NotHeld) {
  guard found != expected else { return }
  let same = zip(found, expected).prefix { $0 == $1 }.count
  let instead = same < found.count ? "\(found[same])" : "no more"
  let wanted = same < expected.count ? "\(expected[same])" : "no more"
  try hold(false, "\(what): \(instead) is where \(wanted) must be, at \(same)")
}
