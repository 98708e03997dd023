import EventStorage

/// Lays records out as a log lends them, without a log.
struct LentBatch {
  private var bytes: [UInt8] = []
  private var rows: [RecordRow] = []
  private var next: Int64 = 0

  /// Lends one batch to a sink.
  mutating func lend<Sink: RecordSink & ~Copyable>(_ batch: AppendBatch, to sink: inout Sink) {
    bytes.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
    for record in batch.records {
      let keyStart = bytes.count
      bytes += record.key
      let valueStart = bytes.count
      bytes += record.value ?? []
      rows.append(
        RecordRow(
          offset: Offset(next), timestamp: batch.timestamp, keyStart: Int32(keyStart),
          keyLength: Int32(record.key.count), valueStart: Int32(valueStart),
          valueLength: record.value.map { Int32($0.count) } ?? -1))
      next += 1
    }
    sink.apply(bytes.span.bytes, rows.span, next: Offset(next))
  }
}
