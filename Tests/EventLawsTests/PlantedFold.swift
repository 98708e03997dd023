import EventLaws
import EventStorage
import Projections

/// A fold that leaves out batches it has read, but takes a batch whole of which it has read a part: it counts redeliveries.
struct CarelessFold<State: Projection>: PositionedFold {
  private(set) var state = State()
  private(set) var position = Offset.zero

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    guard next > position else { return }
    state.apply(bytes, rows, next: next)
    position = next
  }
}
