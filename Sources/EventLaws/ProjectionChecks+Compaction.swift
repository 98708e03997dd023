import EventStorage
import Projections
import PropertyTesting

/// Laws 6, 7 and 8: what compaction takes away, and what stays deleted.
extension ProjectionChecks {
  func compaction(_ choices: inout Choices) throws {
    let history = history(&choices)
    var compacted = choices.compaction(of: history)
    choices.note("\(compacted)")
    if choices.oneIn(3) {
      compacted = choices.compaction(of: compacted.history)
      choices.label("compacted twice")
      choices.note("\(compacted)")
    }
    try hold(
      folded(compacted.history.records), isLike: folded(history.records), "the compacted log")
  }

  func resume(_ choices: inout Choices) throws {
    let history = history(&choices)
    let count = history.records.count
    let cut = choices.int(in: 0...count)
    var fold = Fold<State>(source.partition)
    if cut > 0 { fold.apply(history.records[..<cut]) }
    let compacted = choices.compaction(of: history)
    choices.note("a snapshot at \(fold.position), then \(compacted)")
    let bounds = LogBounds(
      start: .zero, end: history.end, tombstoneHorizon: compacted.horizon)
    let bytes = Snapshot.encode(fold, of: log)
    guard fold.position >= compacted.horizon else {
      choices.label("refused")
      do throws(SnapshotFailure) {
        _ = try read(bytes, within: bounds)
      } catch {
        return try hold(error, equals: .beforeHorizon(compacted.horizon), "the refusal")
      }
      return try hold(false, "a snapshot from before the tombstone horizon was not refused")
    }
    choices.label("resumed")
    var resumed = try read(bytes, within: bounds)
    let rest = compacted.history.records.filter { $0.offset >= resumed.position }
    if !rest.isEmpty { resumed.apply(rest) }
    try hold(
      resumed.state, isLike: folded(history.records), "resumed at \(fold.position) on what is left")
  }

  func deletion(_ choices: inout Choices) throws {
    let before = choices.records(of: source)
    let key = source.record(&choices).key
    let after = choices.records(of: source).filter { $0.key != key }
    // The last record stays, whatever it is, because it holds the log's time.
    let last = NewRecord(key: key + [0], value: nil)
    let records = before + [NewRecord(key: key, value: nil)] + after + [last]
    let history = choices.place(records, in: source.partition)
    choices.note("\(history)")
    choices.note("record \(before.count) deletes its key")
    if before.contains(where: { $0.key == key && $0.value != nil }) { choices.label("deletes") }
    var fold = makeFold()
    fold.apply(history.records)
    let deleted = canonical(fold.state)
    for delivery in choices.redelivery(of: history.records.count) where !delivery.isEmpty {
      fold.apply(history.records[delivery])
      try hold(canonical(fold.state), isLike: deleted, "records \(delivery) came again")
    }
    guard source.isCompacted else { return }
    try hold(
      deleted, isLike: canonical(folded(history.records.filter { $0.key != key })),
      "a state that has deleted a key, against one that never had it,")
  }
}
