import EventStorage
import Projections

/// Everything that a replay folds: channels, nodes and routes.
struct ReplayState: RecordSink {
  private var fold = SystemFold()

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    fold.apply(bytes, rows, next: next)
  }

  var events: Int { Int(fold.records) }
  /// Of the states; equal states have equal digests. Their beginnings tell them apart well enough in a table.
  var digest: String {
    [fold.channels.digest, fold.directory.digest, fold.routingTable.digest]
      .map { $0.prefix(6) }.joined(separator: "-")
  }
}
