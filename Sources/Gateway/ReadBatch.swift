import EventStorage

/// One batch as a log lent it, held until it is known that it may be folded.
struct ReadBatch: Sendable {
  let bytes: [UInt8]
  let rows: [RecordRow]
  /// The position after it.
  let next: Offset
}

extension ReadBatch {
  init(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    self.bytes = bytes.withUnsafeBytes { [UInt8]($0) }
    self.rows = rows.withUnsafeBufferPointer { [RecordRow]($0) }
    self.next = next
  }
}

/// What one read lends.
struct ReadBatches: RecordSink {
  private(set) var batches: [ReadBatch] = []

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    batches.append(ReadBatch(bytes, rows, next: next))
  }
}
