internal import EventStorage

/// A segment while compaction writes it, through a buffer.
struct CompactedSegment: ~Copyable {
  static let bufferBytes = 1 << 20

  let file: any DiskFile
  /// Something is left out.
  private(set) var hasChanged = false
  private let base: Offset
  private var encoder: BatchEncoder
  private var buffer = ByteStore(capacity: CompactedSegment.bufferBytes)
  private var written = 0
  private var index = SparseIndex()
  private var newest: Int64 = 0
  /// The position behind the last batch that was added, and the last batch there was.
  private var next: Int64 = 0
  private var last: BatchHeader?

  init(base: Offset, file: any DiskFile, check: HeaderCheck, compression: Compression) {
    self.base = base
    self.file = file
    encoder = BatchEncoder(check: check, compression: compression)
  }

  /// About how large the segment is by now.
  var bytes: Int { written + buffer.count }

  /// Adds what stays of a batch.
  mutating func add(
    _ batch: RawSpan, _ header: BatchHeader, _ survivors: borrowing Survivors
  ) throws(DiskError) {
    last = header
    if !survivors.isWhole && header.recordCount > 0 { hasChanged = true }
    guard survivors.isWhole || survivors.count > 0 else { return }
    note(header)
    if survivors.isWhole {
      buffer.append(batch)
    } else {
      survivors.withKept { encoder.encode(keeping: $0, count: survivors.count, of: header) }
      encoder.withBatch { buffer.append($0) }
    }
    if buffer.count >= CompactedSegment.bufferBytes { try flush() }
  }

  /// Makes the file durable. Its last batch stays even without records: it says where the segment ends, and when.
  mutating func finish(end: Offset) throws(DiskError) -> IndexFile {
    if let last, next < last.next {
      note(last)
      encoder.encode(keeping: RawSpan(), count: 0, of: last)
      encoder.withBatch { buffer.append($0) }
    }
    try flush()
    try file.sync()
    return IndexFile(
      base: base.rawValue, end: end.rawValue, bytes: written, newest: newest, index: index)
  }

  private mutating func note(_ header: BatchHeader) {
    newest = max(newest, header.maxTimestamp)
    next = header.next
    index.add(offset: header.baseOffset, position: bytes)
  }

  private mutating func flush() throws(DiskError) {
    let position = written
    try buffer.withBytes { bytes throws(DiskError) in try file.writeAll(bytes, at: position) }
    written += buffer.count
    buffer.removeAll()
  }
}
