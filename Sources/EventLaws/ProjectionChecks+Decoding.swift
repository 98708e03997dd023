import EventStorage
import Projections
import PropertyTesting

/// Laws 10, 11 and 12: what cannot be decoded, or not by this version, or was written by an older one.
extension ProjectionChecks {
  func poison(_ choices: inout Choices) throws {
    let value = choices.element(of: source.poison)
    let (with, without, record) = try intruded(by: value, &choices)
    let expected = FoldCounts(without.counts, records: 1, poison: 1)
    try hold(with.counts, equals: expected, "counts with the record that cannot be decoded")
    guard let keeper = with as? any KeepsPoison else { return }
    let kept = keeper.poisonRecords
    guard kept.count < RecentPoison.recordsMax else { return }
    try hold(
      kept.contains { $0.offset == record.offset && $0.key == record.key },
      "the record that cannot be decoded is not kept for inspection")
  }

  func forwardTolerance(_ choices: inout Choices) throws {
    let value = choices.element(of: source.unknown)
    let (with, without, _) = try intruded(by: value, &choices)
    let expected = FoldCounts(without.counts, records: 1, unknown: 1)
    try hold(with.counts, equals: expected, "counts with the record of an unknown type")
  }

  /// Folds a history with and without a record that means nothing, whose key is written or deleted later, and throws unless they are alike.
  ///
  /// In a compacted log what was before a key's last record may be gone, so its value is gone with it until the key is written again;
  /// elsewhere nothing changes even before.
  private func intruded(
    by value: [UInt8], _ choices: inout Choices
  ) throws -> (with: State, without: State, LoggedRecord) {
    let before = choices.records(of: source)
    let again = source.record(&choices)
    let intruder = NewRecord(key: again.key, value: value)
    let after = choices.records(of: source)
    let last = choices.bool() ? NewRecord(key: again.key, value: nil) : again
    let history = choices.place(before + [intruder] + after + [last], in: source.partition)
    choices.note("\(history)")
    choices.note("record \(before.count) means nothing")
    var others = history.records
    others.remove(at: before.count)
    let (with, without) = (folded(history.records), folded(others))
    try hold(with, isLike: without, "once its key is written again, the record that means nothing")
    if !source.isCompacted {
      try hold(
        folded(history.records.dropLast()), isLike: folded(others.dropLast()),
        "the record that means nothing")
    }
    return (with, without, history.records[before.count])
  }

  func upcasting(_ choices: inout Choices) throws {
    let before = choices.records(of: source)
    let fact = choices.element(of: source.versions)
    let old = choices.element(of: fact.values)
    let after = choices.records(of: source)
    let told = before + [NewRecord(key: fact.key, value: old)] + after
    let history = choices.place(told, in: source.partition)
    choices.note("\(history)")
    choices.note("record \(before.count) is of an older version")
    var today = history.records
    today[before.count].value = fact.values[fact.values.count - 1]
    let (oldState, newState) = (folded(history.records), folded(today))
    try hold(oldState, isLike: newState, "what an older version wrote")
    try hold(oldState.counts, equals: newState.counts, "counts of what an older version wrote")
    let alone = folded([history.records[before.count]]).counts
    try hold(alone, equals: FoldCounts(FoldCounts(), records: 1), "counts of an older version")
  }
}

extension FoldCounts {
  /// Counts with so many more.
  init(_ counts: FoldCounts, records: UInt64 = 0, poison: UInt64 = 0, unknown: UInt64 = 0) {
    self = counts
    self.records += records
    self.poison += poison
    self.unknown += unknown
  }
}
