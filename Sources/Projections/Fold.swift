public import EventStorage

/// A projection of one partition together with the position it reflects. The two never come apart (law 5).
public struct Fold<State: Projection>: RecordSink, Sendable {
  /// The partition that is folded.
  public let partition: Partition
  /// What its records mean so far.
  public private(set) var state: State
  /// Everything before it is in `state`. Never goes back.
  public private(set) var position: Offset

  /// A fold that has read nothing, or one that goes on from a state.
  public init(_ partition: Partition, state: State = State(), position: Offset = .zero) {
    self.partition = partition
    self.state = state
    self.position = position
  }

  /// Folds what lies behind the position; what was read before is left out, however often it is delivered (law 4).
  public mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    guard next > position else { return }
    var first = 0
    while first < rows.count, rows[first].offset < position { first += 1 }
    state.apply(bytes, rows.extracting(droppingFirst: first), next: next)
    position = next
  }

  /// Changes the state without reading: what a reader takes out of it, such as expired keys.
  public mutating func withState<Result>(_ body: (inout State) -> Result) -> Result {
    body(&state)
  }
}

extension Fold {
  /// Reads the partition to its end, or until `isEnough`.
  ///
  /// Begins anew when compaction has dropped tombstones behind the position: what they deleted would stay (law 7).
  ///
  /// - Throws: what `EventLog.read` throws. The fold is whole up to its position even then.
  public mutating func catchUp(
    with log: some EventLog, bytesMax: Int = 4 << 20, isEnough: (Offset) -> Bool = { _ in false }
  ) throws(LogError) {
    var bounds = try log.bounds(of: partition)
    if !TombstoneWatch.mayResume(at: position, within: bounds) { self = Fold(partition) }
    let end = bounds.end
    var watch = TombstoneWatch(since: bounds)
    // What compaction or retention has taken is not missed by a fold that has read nothing.
    var next = position == .zero ? bounds.start : position
    while next < end, !isEnough(next) {
      let from = next
      next = try log.read(partition, from: from, bytesMax: bytesMax, into: &self)
      bounds = try log.bounds(of: partition)
      switch watch.verdict(afterReadingFrom: from, bounds) {
      case .goOn: position = max(position, next)
      case .beginAnew:
        self = Fold(partition)
        next = bounds.start
        watch = TombstoneWatch(since: bounds)
      }
    }
  }
}
