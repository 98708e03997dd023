import EventStorage
import Projections
import PropertyTesting

/// Laws 1, 2, 3 and 9: however the same records arrive, the state is the same.
extension ProjectionChecks {
  /// How often the same records are folded: tables of equal content differ in their order by chance only.
  private var copies: Int { 8 }

  /// - Returns: the canonical bytes.
  func determinism(_ choices: inout Choices) throws -> [UInt8] {
    let history = history(&choices)
    // All alive at once, since what differs between two tables may be where they lie in memory.
    let states = (0..<copies).map { _ in folded(history.records) }
    let first = canonical(states[0])
    for state in states.dropFirst() {
      try hold(canonical(state), isLike: first, "two folds of the same records")
    }
    let again = try decoded(first)
    try hold(canonical(again), isLike: first, "the state, encoded, decoded and encoded")
    return first
  }

  func batching(_ choices: inout Choices) throws {
    let history = history(&choices)
    let whole = folded(history.records)
    var state = State()
    for batch in choices.batches(of: history.records.count) {
      choices.note("a batch of \(batch.count)")
      // What a fold leaves out of a batch may be all of it.
      if choices.oneIn(8) { state.apply([], next: history.position(after: batch.lowerBound)) }
      let padding = choices.oneIn(4) ? choices.int(in: 1...9) : 0
      let hole = choices.oneIn(8) && batch.upperBound == history.records.count
      state.apply(
        history.records[batch],
        next: hole ? Offset(history.end.rawValue + 1) : nil, padding: padding)
    }
    try hold(state, isLike: whole, "records in several batches")
    try hold(state.counts, equals: whole.counts, "counts of records in several batches")
  }

  func snapshot(_ choices: inout Choices) throws {
    let history = history(&choices)
    let count = history.records.count
    let whole = canonical(folded(history.records))
    // A short history is cut everywhere, a long one here and there.
    let cuts = count < 6 ? Array(0...count) : (0..<4).map { _ in choices.int(in: 0...count) }
    for cut in cuts {
      var fold = Fold<State>(source.partition)
      if cut > 0 { fold.apply(history.records[..<cut]) }
      let bytes = Snapshot.encode(fold, of: log)
      var resumed = try read(bytes, within: .anywhere)
      try hold(resumed.position, equals: fold.position, "the position read at record \(cut)")
      try hold(
        Snapshot.encode(resumed, of: log), isLike: bytes,
        "written, read and written at record \(cut)")
      if cut < count { resumed.apply(history.records[cut...]) }
      try hold(canonical(resumed.state), isLike: whole, "resumed at record \(cut)")
      if cut == count { try strangersAreRefused(bytes) }
    }
  }

  private func strangersAreRefused(_ bytes: [UInt8]) throws {
    func refused(
      _ message: String, _ read: () throws(SnapshotFailure) -> Void
    ) throws(NotHeld) {
      do throws(SnapshotFailure) { try read() } catch { return }
      try hold(false, "a snapshot of another \(message) was not refused")
    }
    let other = LogIdentity(log.rawValue + 1)
    let partition = source.partition
    try refused("log") { () throws(SnapshotFailure) in
      _ = try Snapshot.decode(bytes, of: other, partition, within: .anywhere, as: State.self)
    }
    try refused("partition") { () throws(SnapshotFailure) in
      let elsewhere = Partition(partition.topic, partition.index + 1)
      _ = try Snapshot.decode(bytes, of: log, elsewhere, within: .anywhere, as: State.self)
    }
    try refused("fold version") { () throws(SnapshotFailure) in
      _ = try Snapshot.decode(
        bytes, of: log, partition, within: .anywhere, as: LaterVersion<State>.self)
    }
  }

  func commutativity(_ choices: inout Choices) throws {
    // A key lives in one partition, and so each record goes where its key says.
    let all = choices.records(of: source)
    let partitions = choices.int(in: 2...3)
    let histories = (0..<partitions).map { index in
      let own = all.filter { record in
        Int(record.key.reduce(0) { ($0 &* 31) &+ UInt32($1) } % UInt32(partitions)) == index
      }
      return choices.place(own, in: Partition(source.partition.topic, index))
    }
    for history in histories { choices.note("\(history)") }
    var folds = histories.map { Fold<State>($0.partition) }
    var merged = State()
    var read = histories.map { _ in 0 }
    for index in choices.interleaving(of: histories.map(\.records.count)) {
      let record = histories[index].records[read[index]]
      read[index] += 1
      folds[index].apply([record])
      merged.apply([record])
    }
    for (fold, history) in zip(folds, histories) {
      try hold(
        fold.state, isLike: folded(history.records), "\(history.partition) among the others")
    }
    guard source.mergesPartitions else { return }
    try hold(
      merged, isLike: folded(histories.flatMap(\.records)),
      "one state of all partitions, interleaved")
  }

  func decoded(_ bytes: [UInt8]) throws -> State { try State(decoding: bytes.span.bytes) }

  func read(
    _ bytes: [UInt8], within bounds: LogBounds
  ) throws(SnapshotFailure) -> Fold<State> {
    try Snapshot.decode(bytes, of: log, source.partition, within: bounds)
  }
}

extension LogBounds {
  /// Refuses no position.
  static var anywhere: LogBounds {
    LogBounds(start: .zero, end: Offset(.max), tombstoneHorizon: .zero)
  }
}

/// The same projection with another meaning, as far as snapshots can tell.
private struct LaterVersion<State: Projection>: Projection {
  static var name: String { State.name }
  static var foldVersion: UInt32 { State.foldVersion &+ 1 }
  private var state: State
  var counts: FoldCounts { state.counts }

  init() { state = State() }
  init(decoding bytes: RawSpan) throws(SnapshotFailure) { state = try State(decoding: bytes) }
  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    state.apply(bytes, rows, next: next)
  }
  func encode(into bytes: inout [UInt8]) { state.encode(into: &bytes) }
}
