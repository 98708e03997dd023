package import EventStorage

/// Passes records on until a time is over: what a replay to a moment of the past reads.
package struct Until<Sink: RecordSink & ~Copyable>: RecordSink, ~Copyable {
  /// What gets the records.
  package var sink: Sink
  /// Milliseconds since 1970: the last time that is passed on. Nil for everything.
  private let lastTime: Int64?
  /// True once a record lay behind the time.
  package private(set) var isOver = false
  /// Records passed on.
  package private(set) var records = 0

  package init(_ lastTime: Int64?, _ sink: consuming Sink) {
    self.lastTime = lastTime
    self.sink = sink
  }

  package mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    if isOver { return }
    var count = rows.count
    if let lastTime {
      // Time never runs backwards in a partition, so what follows the first late record is late too.
      for index in rows.indices where rows[index].timestamp > lastTime {
        count = index
        isOver = true
        break
      }
    }
    records += count
    sink.apply(
      bytes, rows.extracting(first: count), next: isOver ? rows[count].offset : next)
  }
}
