import EventStorage
import Projections

/// Everything that a replay folds: the projections that a gateway and a controller need.
struct ReplayState: RecordSink {
  private var rows = RowCounter()

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    self.rows.apply(bytes, rows, next: next)
  }

  var events: Int { rows.rows }
  /// Of the state; equal states have equal digests.
  var digest: String { rows.digest }
}
