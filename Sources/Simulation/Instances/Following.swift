internal import EventStorage
internal import Projections

/// A real fold of one partition that is fed across the network: late, twice, from too far back.
struct Following<State: Projection> {
  private(set) var fold: Fold<State>
  /// Sees a tombstone that the fold must have missed (law 7).
  private var watch: TombstoneWatch

  /// Goes on from a fold, or from the start when there is none.
  init(_ partition: Partition, from snapshot: Fold<State>?, within bounds: LogBounds) {
    fold = snapshot ?? Fold(partition, position: bounds.start)
    watch = TombstoneWatch(since: bounds)
  }

  var wanted: (partition: Partition, from: Offset) { (fold.partition, fold.position) }

  /// - Parameter also: gets what is new of each batch.
  /// - Returns: false when it had to begin anew.
  @discardableResult
  mutating func take(
    _ fetched: Fetched, named name: String, in world: World,
    also: (ServedBatch) -> Void = { _ in }
  ) -> Bool {
    let bounds = fetched.bounds
    if let failure = fetched.failure {
      // What was asked for is no longer kept: an observation that old matters to nobody.
      if case .trimmed = failure, fold.position < bounds.start {
        startOver(within: bounds)
        return false
      }
      return true
    }
    // An answer to an earlier request may begin before the position, never behind it.
    guard fetched.from <= fold.position, fetched.next >= fold.position else {
      return true
    }
    // It was read from `fetched.from` on, but everything before the position is known.
    if watch.verdict(afterReadingFrom: fold.position, bounds) == .beginAnew,
      world.options.canary != .resumePastHorizon
    {
      world.oracle.counts.horizonRestarts += 1
      startOver(within: bounds)
      return false
    }
    let before = fold.position
    for batch in fetched.batches {
      if batch.next > fold.position {
        var new = batch
        new.rows.removeAll { $0.offset < fold.position }
        also(new)
      }
      fold.apply(batch.bytes.span.bytes, batch.rows.span, next: batch.next)
    }
    if fold.position < fetched.next {
      // Nothing is left of the last records up to here.
      let nothing: [RecordRow] = []
      let none: [UInt8] = []
      fold.apply(none.span.bytes, nothing.span, next: fetched.next)
      also(ServedBatch(bytes: none, rows: nothing, next: fetched.next))
    }
    if fold.position < before {
      world.fail(5, "\(name) went back from \(before) to \(fold.position)")
    }
    return true
  }

  private mutating func startOver(within bounds: LogBounds) {
    fold = Fold(fold.partition, position: bounds.start)
    watch = TombstoneWatch(since: bounds)
  }
}
