package import EventStorage

/// Passes records on until a time is over or a position is reached: what a replay to a moment of the past reads.
package struct Until<Sink: RecordSink & ~Copyable>: RecordSink, ~Copyable {
  /// What gets the records.
  package var sink: Sink
  /// Milliseconds since 1970: the last time that is passed on. Nil for everything.
  private let lastTime: Int64?
  /// A record that says to be newer was written by somebody without a clock: it tells no time.
  private let newestCredible: Int64
  /// The position that is not passed. Nil for everything.
  private let end: Offset?
  /// True once a record lay behind the time or the position.
  package private(set) var isOver = false
  /// Records passed on.
  package private(set) var records = 0

  package init(
    _ lastTime: Int64?, newestCredible: Int64 = .max, before end: Offset? = nil,
    _ sink: consuming Sink
  ) {
    self.lastTime = lastTime
    self.newestCredible = newestCredible
    self.end = end
    self.sink = sink
  }

  package mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    if isOver { return }
    var count = rows.count
    // Neither offsets nor credible times run backwards, so what follows the first late record is late too.
    for index in rows.indices where isLate(rows[index]) {
      count = index
      isOver = true
      break
    }
    records += count
    sink.apply(
      bytes, rows.extracting(first: count), next: isOver ? rows[count].offset : next)
  }

  private func isLate(_ row: RecordRow) -> Bool {
    if let lastTime, row.timestamp > lastTime, row.timestamp <= newestCredible { return true }
    if let end, row.offset >= end { return true }
    return false
  }
}
