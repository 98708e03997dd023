import EventStorage
import Projections

/// Everything that a replay folds.
struct ReplayState: RecordSink {
  private var channels = Channels()

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    channels.apply(bytes, rows, next: next)
  }

  var events: Int { Int(channels.counts.records) }
  /// Of the state; equal states have equal digests. Its first half tells them apart well enough in a table.
  var digest: String { String(channels.digest.prefix(16)) }
}
