/// One partition of a memory log: its batches in the order of their offsets, and what outlives them.
struct MemoryPartition: Sendable {
  private(set) var batches: [MemoryBatch] = []
  private(set) var start: Offset = .zero
  private(set) var end: Offset = .zero
  private(set) var tombstoneHorizon: Offset = .zero
  private(set) var cleanPoint: Offset = .zero
  private(set) var cleanTime = Int64.min
  private var cleanings = 0
  private(set) var isClosed = false
  private var newestTime = Int64.min
  private var sizeEver = 0
  private var epochs: [Int64: Int16] = [:]
  private var answers = IdempotencyKeys()

  var bounds: LogBounds {
    LogBounds(
      start: start, end: end, tombstoneHorizon: tombstoneHorizon, cleanPoint: cleanPoint,
      cleanTime: cleanTime, cleanings: cleanings)
  }

  /// Appends what `records` holds, as `batch` says. The limits have been checked.
  mutating func append(
    _ records: MemoryBatch, as batch: AppendBatch
  ) throws(LogError) -> Appended {
    try checkOpen()
    if let writer = batch.writer {
      let current = epochs[writer.id, default: writer.epoch]
      guard writer.epoch >= current else { throw .fenced(writer: writer, current: current) }
      epochs[writer.id] = writer.epoch
    }
    if let answer = batch.idempotencyKey.flatMap({ answers.answer(to: $0) }) { return answer }
    let first = end
    var placed = records
    newestTime = max(newestTime, batch.timestamp)
    placed.place(at: first, timestamp: newestTime)
    hold(placed)
    end = placed.next
    let appended = Appended(first: first, end: end)
    if let key = batch.idempotencyKey { answers.remember(key, appended) }
    return appended
  }

  /// The next life of a writer. Takes an offset, as the control batch of the disk log does.
  mutating func fence(writer id: Int64) throws(LogError) -> Writer {
    try checkOpen()
    let epoch = epochs[id].map { Int($0) + 1 } ?? 0
    guard let next = Int16(exactly: epoch) else {
      throw .tooLarge(what: "epoch of writer \(id)", size: epoch, limit: Int(Int16.max))
    }
    epochs[id] = next
    end = Offset(end.rawValue + 1)
    return Writer(id: id, epoch: next)
  }

  /// The batches that a read lends, and the position after them.
  func select(
    from offset: Offset, bytesMax: Int, of partition: Partition
  ) throws(LogError) -> (batches: ArraySlice<MemoryBatch>, next: Offset) {
    try checkOpen()
    guard offset >= start else { throw .trimmed(partition, start: start) }
    guard offset <= end else { throw .beyondEnd(partition, end: end) }
    let first = partitioningIndex { $0.next > offset }
    var last = first
    var size = 0
    while last < batches.endIndex, last == first || size < bytesMax {
      size += batches[last].size
      last += 1
    }
    return (batches[first..<last], last == batches.endIndex ? end : batches[last - 1].next)
  }

  /// The start of the earliest batch from which at most `bytesMax` bytes follow, or the end.
  func tailStart(bytesMax: Int) throws(LogError) -> Offset {
    try checkOpen()
    let index = partitioningIndex { sizeEver - $0.sizeBefore <= bytesMax }
    if index == batches.startIndex { return start }
    return index == batches.endIndex ? end : batches[index - 1].next
  }

  /// Retention: nothing before `offset` can be read any more.
  mutating func trim(before offset: Offset, of partition: Partition) throws(LogError) {
    try check(offset, of: partition)
    moveCleanPoint(to: offset)
    start = max(start, offset)
    let start = start
    batches.removeFirst(partitioningIndex { $0.next > start })
  }

  /// What is left of a compaction takes the place of every batch.
  mutating func replace(_ compacted: [MemoryBatch], tombstoneHorizon horizon: Offset) {
    tombstoneHorizon = max(tombstoneHorizon, horizon)
    cleanings += 1
    batches = []
    sizeEver = 0
    for batch in compacted where !batch.rows.isEmpty { hold(batch) }
  }

  /// What lies before `offset` is about to go, some of it or all.
  mutating func moveCleanPoint(to offset: Offset) {
    cleanPoint = max(cleanPoint, offset)
    for batch in batches {
      for row in batch.rows where row.offset < offset { cleanTime = max(cleanTime, row.timestamp) }
    }
  }

  mutating func close() {
    isClosed = true
    batches = []
  }

  /// Throws unless the log is open and `offset` is not behind its end.
  func check(_ offset: Offset, of partition: Partition) throws(LogError) {
    try checkOpen()
    guard offset <= end else { throw .beyondEnd(partition, end: end) }
  }

  func checkOpen() throws(LogError) {
    if isClosed { throw .closed }
  }

  private mutating func hold(_ batch: MemoryBatch) {
    batches.append(batch)
    batches[batches.count - 1].sizeBefore = sizeEver
    sizeEver += batch.size
  }

  /// The first batch for which the predicate holds; it holds for all after it too.
  private func partitioningIndex(_ holds: (MemoryBatch) -> Bool) -> Int {
    var low = batches.startIndex
    var high = batches.endIndex
    while low < high {
      let middle = (low + high) / 2
      if holds(batches[middle]) { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
