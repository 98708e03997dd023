/// Batches one behind the other.
struct ReadPiece: Sendable {
  /// A larger one is handed over. A batch is never divided.
  static let bytesMax = 256 << 10
  static let rowsMax = 8192

  /// Where a batch ends in `bytes` and `rows`.
  private struct Batch {
    var bytes: Int
    var rows: Int
    var next: Offset
  }

  private var bytes: [UInt8] = []
  private var rows: [RecordRow] = []
  private var batches: [Batch] = []
  /// The position behind it.
  var end: Offset = .zero
  /// Why nothing comes behind it.
  var failure: LogError?

  var isFull: Bool { bytes.count >= ReadPiece.bytesMax || rows.count >= ReadPiece.rowsMax }
  var isEmpty: Bool { batches.isEmpty }
  var byteCount: Int { bytes.count }

  mutating func add(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    bytes.withUnsafeBytes { self.bytes.append(contentsOf: $0) }
    rows.withUnsafeBufferPointer { self.rows.append(contentsOf: $0) }
    batches.append(Batch(bytes: self.bytes.count, rows: self.rows.count, next: next))
    end = next
  }

  func lend<Sink: RecordSink & ~Copyable>(to sink: inout Sink) {
    var start = (bytes: 0, rows: 0)
    for batch in batches {
      sink.apply(
        bytes.span.bytes.extracting(start.bytes..<batch.bytes),
        rows.span.extracting(start.rows..<batch.rows), next: batch.next)
      start = (batch.bytes, batch.rows)
    }
  }

  /// Empty, with its memory; not with that of one huge batch.
  mutating func clear() {
    let keepsMemory = bytes.capacity <= 8 * ReadPiece.bytesMax
    bytes.removeAll(keepingCapacity: keepsMemory)
    rows.removeAll(keepingCapacity: keepsMemory)
    batches.removeAll(keepingCapacity: true)
  }
}
