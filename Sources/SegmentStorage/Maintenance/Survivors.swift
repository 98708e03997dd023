internal import EventStorage

/// Decides which records of a batch stay (law 6), and gathers their bytes as they are stored.
struct Survivors: BatchVisitor, ~Copyable {
  private let keys: KeyOffsets
  /// Nothing from here on is touched.
  private let cleanPoint: Offset
  /// Tombstones before this go, when nothing follows them below the clean point.
  private let horizon: Offset

  /// Of the batch visited last: how many records stay, whether that is all, and their bytes.
  private(set) var count: Int32 = 0
  private(set) var isWhole = false
  private var kept = ByteStore(capacity: 64 << 10)

  init(keys: KeyOffsets, cleanPoint: Offset, horizon: Offset) {
    self.keys = keys
    self.cleanPoint = cleanPoint
    self.horizon = horizon
  }

  func withKept<R>(_ body: (RawSpan) -> R) -> R { kept.withBytes(body) }

  mutating func visit(_ records: RawSpan, _ header: BatchHeader) throws(BatchDamage) {
    kept.removeAll()
    count = 0
    // Which writers are in is kept in `appends.state`.
    isWhole = header.isControl && header.baseOffset >= cleanPoint.rawValue
    if header.isControl { return }
    var collected = RowCollector()
    try walkRecords(records, header, &collected)
    for (row, extent) in collected.rows
    where stays(row, key: records.extracting(row.key)) {
      kept.append(records.extracting(extent))
      count += 1
    }
    isWhole = count == header.recordCount && header.recordCount > 0
  }

  private func stays(_ row: RecordRow, key: RawSpan) -> Bool {
    if row.offset >= cleanPoint { return true }
    if keys.supersedes(row.offset, of: key) { return false }
    // The last one before the clean point holds the log's time there: without it the state at that place would be another (law 30).
    let isLast = row.offset.rawValue + 1 == cleanPoint.rawValue
    return isLast || !(row.isTombstone && row.offset < horizon)
  }
}
