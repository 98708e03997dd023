internal import EventStorage

/// Where some batches of a segment begin, so that a read starts near its offset.
struct SparseIndex: Equatable, Sendable {
  /// At most one entry in so many bytes.
  static let spacing = 16 << 10

  struct Entry: Equatable, Sendable {
    var offset: Int64
    var position: Int
  }

  private(set) var entries: [Entry] = []

  mutating func add(offset: Int64, position: Int) {
    if let last = entries.last, position - last.position < SparseIndex.spacing { return }
    entries.append(Entry(offset: offset, position: position))
  }

  /// Where to begin reading to find `offset`.
  func position(of offset: Offset) -> Int {
    let after = partitioningIndex { $0.offset > offset.rawValue }
    return after == 0 ? 0 : entries[after - 1].position
  }

  /// The first entry at `position` or behind it.
  func entry(from position: Int) -> Entry? {
    let index = partitioningIndex { $0.position >= position }
    return index < entries.count ? entries[index] : nil
  }

  private func partitioningIndex(_ isBehind: (Entry) -> Bool) -> Int {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if isBehind(entries[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}

/// What the index file of a closed segment says. It saves reading the segment on opening; when it is missing or does
/// not fit, it is made again from the segment.
///
/// Little-endian: "SBXINDEX", version, base, end, bytes, newest time, entry count, entries, CRC-32C.
struct IndexFile: Equatable {
  static let magic = Array("SBXINDEX".utf8)
  static let version: UInt32 = 1
  static let headerBytes = 8 + 4 + 8 * 4 + 4
  static let bytesMax = 64 << 20

  var base: Int64
  var end: Int64
  var bytes: Int
  var newest: Int64
  var index: SparseIndex

  func encoded() -> [UInt8] {
    var store = ByteStore(capacity: IndexFile.headerBytes + index.entries.count * 16 + 4)
    store.append(IndexFile.magic)
    store.append(littleEndian: IndexFile.version)
    store.append(littleEndian: base)
    store.append(littleEndian: end)
    store.append(littleEndian: Int64(bytes))
    store.append(littleEndian: newest)
    store.append(littleEndian: UInt32(index.entries.count))
    for entry in index.entries {
      store.append(littleEndian: entry.offset)
      store.append(littleEndian: Int64(entry.position))
    }
    return store.sealed()
  }

  /// Nil when the bytes are not a whole index file, or an entry lies outside of the segment or before the one ahead of it.
  init?(_ file: [UInt8]) {
    guard let body = checkedBody(of: file, magic: IndexFile.magic, version: IndexFile.version)
    else { return nil }
    var fields = FieldReader(body)
    guard let base = fields.next(Int64.self), let end = fields.next(Int64.self),
      let bytes = fields.next(Int64.self), let newest = fields.next(Int64.self),
      let count = fields.next(UInt32.self), Int(count) * 16 == fields.remaining
    else { return nil }
    self.base = base
    self.end = end
    self.bytes = Int(bytes)
    self.newest = newest
    index = SparseIndex()
    var last = SparseIndex.Entry(offset: base, position: -1)
    for _ in 0..<count {
      guard let offset = fields.next(Int64.self), let position = fields.next(Int64.self),
        offset >= last.offset, offset < end, position > last.position, position < bytes
      else { return nil }
      last = SparseIndex.Entry(offset: offset, position: Int(position))
      index.add(offset: last.offset, position: last.position)
    }
  }

  init(base: Int64, end: Int64, bytes: Int, newest: Int64, index: SparseIndex) {
    self.base = base
    self.end = end
    self.bytes = bytes
    self.newest = newest
    self.index = index
  }
}
