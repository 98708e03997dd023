internal import EventStorage

/// A batch as the log lent it, owned.
struct ServedBatch: Sendable {
  var bytes: [UInt8]
  var rows: [RecordRow]
  var next: Offset
}

/// Copies everything that it is lent.
struct BatchCopies: RecordSink {
  var batches: [ServedBatch] = []

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    batches.append(
      ServedBatch(
        bytes: bytes.withUnsafeBytes { Array($0) },
        rows: rows.withUnsafeBufferPointer { Array($0) }, next: next))
  }
}
