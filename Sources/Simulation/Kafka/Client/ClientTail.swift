internal import EventStorage
internal import KafkaStorage

/// The end of one partition as a client follows it: what `Tail` and the thread that follows hold in `KafkaStorage`.
final class ClientTail {
  struct Chunk {
    var from: Offset
    var batch: ServedBatch
  }

  private struct Waiter {
    var target: Offset
    var then: (Bool) -> Void
    var number: UInt64
  }

  let partition: Partition
  private(set) var isReady = false
  private(set) var start = Offset.zero
  /// Behind the last record that was read.
  private(set) var end = Offset.zero
  /// Everything committed before this has been read.
  private(set) var readTo = Offset.zero
  private(set) var cachedFrom = Offset.zero
  private(set) var chunks: [Chunk] = []
  var newestTime: Int64 = 0
  var keys = RecentKeys()
  /// Before here tombstones may be gone, and when it was asked for.
  var horizon: (offset: Offset, asked: VirtualTime)?

  /// Where the partition ended when it began to be followed.
  private var target = Offset.zero
  private var window: Int64
  private var hasRecords = false
  private var from = Offset.zero
  private var builder = BatchBuilder()
  private var folder = AppendFolder()
  private var wholes: [AppendFolder.Whole] = []
  private var waiters: [Waiter] = []
  private var waitersEver: UInt64 = 0
  private let cachedRecords: Int

  init(_ partition: Partition, _ settings: ClusterSettings) {
    self.partition = partition
    window = settings.window
    cachedRecords = settings.cachedRecords
  }

  // MARK: Following

  /// The partition is followed from near its end on.
  func begin(start: Offset, end stable: Offset) {
    guard !isReady else {
      self.start = max(self.start, start)
      return
    }
    let first = max(start, Offset(stable.rawValue - window))
    self.start = start
    end = first
    readTo = first
    cachedFrom = first
    chunks = []
    keys = RecentKeys(from: first)
    target = stable
    hasRecords = false
    from = first
    builder = BatchBuilder()
    folder = AppendFolder()
    wholes = []
    settle()
  }

  /// Takes what was read next; `settle` is to follow when the appends in it are answered.
  /// - Returns: these appends, each with its answer.
  func take(_ fetched: KafkaFetched) -> [(AppendHeader.ID, Appended)] {
    start = max(start, fetched.start)
    var gap = fetched.from
    for record in fetched.records where record.offset >= max(readTo, from) {
      builder.take(record)
      if let whole = folder.take(record.header, at: record.offset) { wholes.append(whole) }
      gap = Offset(record.offset.rawValue + 1)
    }
    let isEnd = fetched.next >= fetched.end
    if isEnd { folder.reachEnd(at: fetched.next) }
    position = max(position, fetched.next, gap)
    var answers: [(AppendHeader.ID, Appended)] = []
    if folder.isBetweenAppends, let batch = builder.finish() {
      answers = publish(batch)
    }
    if isEnd, builder.isEmpty { readTo = max(readTo, fetched.next) }
    return answers
  }

  /// Where the next fetch goes on.
  private(set) var position = Offset.zero

  private func publish(_ batch: ServedBatch) -> [(AppendHeader.ID, Appended)] {
    chunks.append(Chunk(from: from, batch: batch))
    from = batch.next
    hasRecords = true
    end = max(end, batch.next)
    readTo = max(readTo, batch.next)
    for row in batch.rows { newestTime = max(newestTime, row.timestamp) }
    var count = chunks.reduce(0) { $0 + $1.batch.rows.count }
    while count > cachedRecords, chunks.count > 1 {
      count -= chunks[0].batch.rows.count
      cachedFrom = chunks.removeFirst().batch.next
    }
    defer { wholes = [] }
    return wholes.map { append in
      (append.id, append.idempotencyKey.map { keys.take($0, append.place) } ?? append.place)
    }
  }

  /// Becomes ready when it is, and wakes who waited: what they look for is answered by then, or not there.
  /// - Returns: false when there was nothing but holes, and it must begin further back.
  @discardableResult
  func settle() -> Bool {
    position = max(position, readTo)
    if !isReady, readTo >= target {
      if hasRecords || cachedFrom <= start {
        if !hasRecords { end = max(end, readTo) }
        isReady = true
      } else {
        window *= 16
        position = .zero
        return false
      }
    }
    let woken = waiters.filter { isReady && readTo >= $0.target }
    waiters.removeAll { isReady && readTo >= $0.target }
    for waiter in woken { waiter.then(true) }
    return true
  }

  // MARK: Waiting

  /// Calls back when everything before `target` has been read, or with false when the time is up.
  func wait(
    for target: Offset, within time: VirtualTime, on connection: KafkaConnection,
    then: @escaping (Bool) -> Void
  ) {
    if isReady, readTo >= target { return then(true) }
    waitersEver += 1
    let number = waitersEver
    waiters.append(Waiter(target: target, then: then, number: number))
    connection.after(time) { [weak self] in
      guard let self, let place = self.waiters.firstIndex(where: { $0.number == number }) else {
        return
      }
      self.waiters.remove(at: place).then(false)
    }
  }

  // MARK: Reading

  /// Chunks from `offset` on, and the position after them; nil when they are not here. Not from before the horizon: who was cut off
  /// for that long holds what was deleted meanwhile, and not the tombstones.
  func select(from offset: Offset, recordsMax: Int) -> (batches: [ServedBatch], next: Offset)? {
    if offset >= end { return ([], offset) }
    guard offset >= max(cachedFrom, horizon?.offset ?? .zero) else { return nil }
    var batches: [ServedBatch] = []
    var count = 0
    for chunk in chunks where chunk.batch.next > offset {
      if count >= recordsMax { break }
      var batch = chunk.batch
      batch.rows.removeAll { $0.offset < offset }
      batches.append(batch)
      count += batch.rows.count
    }
    return (batches, max(offset, batches.last?.next ?? end))
  }
}
