/// Why the next batch could not be had.
enum SourceFailure: Error, Equatable {
  case disk(DiskError)
  case damage(BatchDamage)

  var text: String {
    switch self {
    case .disk(let error): "\(error)"
    case .damage(let damage): "\(damage)"
    }
  }
}

/// Reads the batches of a file through one window, which is used again and grows to the largest batch.
///
/// Not a memory map: a disk that fails while reading must be an error, not a signal.
struct BatchSource: ~Copyable {
  static let windowBytes = 256 << 10

  /// The bytes of the file from `start` on, `count` of them. Read it by `batch` of the last `load`.
  private(set) var window = [UInt8](repeating: 0, count: BatchSource.windowBytes)
  private var start = 0
  private var count = 0
  private var file: (any DiskFile)?
  /// Where in the window the batch loaded last lies.
  private(set) var batch = 0..<0

  /// Brings in the whole batch at `position`. Nothing at `limit` or behind it is looked at.
  /// - Returns: its header, or nil when `position` is the limit.
  mutating func load(
    _ file: any DiskFile, at position: Int, limit: Int, check: HeaderCheck
  ) throws(SourceFailure) -> BatchHeader? {
    guard position < limit else { return nil }
    if self.file !== file {
      self.file = file
      count = 0
    }
    try need(min(BatchHeader.byteCount, limit - position), at: position, limit: limit)
    let header: BatchHeader
    do throws(BatchDamage) {
      header = try unsafe BatchHeader(
        window.span.bytes.extracting(position - start..<count), check: check)
      guard header.totalBytes <= limit - position else { throw .cutShort }
    } catch {
      throw .damage(error)
    }
    try need(header.totalBytes, at: position, limit: limit)
    batch = position - start..<position - start + header.totalBytes
    return header
  }

  /// Forgets the file, which may change behind the limit it was read to.
  mutating func forget() {
    file = nil
    count = 0
  }

  private mutating func need(_ bytes: Int, at position: Int, limit: Int) throws(SourceFailure) {
    if position >= start && position + bytes <= start + count { return }
    if window.count < bytes { window = [UInt8](repeating: 0, count: bytes) }
    let wanted = min(window.count, limit - position)
    start = position
    count = 0
    guard let file else { return }
    do throws(DiskError) {
      var span = window.mutableSpan
      var target = unsafe span.mutableBytes
      count = try file.read(wanted, into: &target, at: position)
    } catch {
      throw .disk(error)
    }
    guard count >= bytes else { throw .damage(.cutShort) }
  }
}
