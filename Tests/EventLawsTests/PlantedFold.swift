import EventLaws
import EventStorage
import Projections

/// A fold that leaves out batches it has read, but takes a batch whole of which it has read a part: it counts redeliveries (law 4).
struct CarelessFold<State: Projection>: PositionedFold {
  private(set) var state = State()
  private(set) var position = Offset.zero

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    guard next > position else { return }
    state.apply(bytes, rows, next: next)
    position = next
  }
}

/// A fold that is where its last batch ended, even when that was an old one (law 5).
struct BackwardFold<State: Projection>: PositionedFold {
  private var fold: Fold<State>
  private(set) var position = Offset.zero
  var state: State { fold.state }

  init(_ partition: Partition) { fold = Fold(partition) }

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    fold.apply(bytes, rows, next: next)
    position = next
  }
}
