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

  init(base: Offset, file: any DiskFile, check: HeaderCheck, compression: Compression) {
    self.base = base
    self.file = file
    encoder = BatchEncoder(check: check, compression: compression)
  }

  /// Adds what stays of a batch. The last batch of a segment stays even when it is empty: it says where the segment ends, and when.
  mutating func add(
    _ batch: RawSpan, _ header: BatchHeader, _ survivors: borrowing Survivors, isLast: Bool
  ) throws(DiskError) {
    let isEmptied = header.recordCount == 0 && isLast
    if !survivors.isWhole && !isEmptied { hasChanged = true }
    guard survivors.count > 0 || survivors.isWhole || isLast else { return }
    newest = max(newest, header.maxTimestamp)
    index.add(offset: header.baseOffset, position: written + buffer.count)
    if survivors.isWhole || isEmptied {
      buffer.append(batch)
    } else {
      survivors.withKept { encoder.encode(keeping: $0, count: survivors.count, of: header) }
      encoder.withBatch { buffer.append($0) }
    }
    if buffer.count >= CompactedSegment.bufferBytes { try flush() }
  }

  /// Makes the file durable.
  mutating func finish(end: Offset) throws(DiskError) -> IndexFile {
    try flush()
    try file.sync()
    return IndexFile(
      base: base.rawValue, end: end.rawValue, bytes: written, newest: newest, index: index)
  }

  private mutating func flush() throws(DiskError) {
    let position = written
    try buffer.withBytes { bytes throws(DiskError) in try file.writeAll(bytes, at: position) }
    written += buffer.count
    buffer.removeAll()
  }
}
