internal import EventStorage

/// The end of one partition, as far as it is followed: its newest records, its bounds, and what appends must know of those before.
///
///        start            cachedFrom            end       readTo
///     ─────┼──────────────────┼──────────────────┼───────────┼──▶ offsets
///          └── on the broker ─┴── kept here too ─┴── markers ┘
final class Tail: Sendable {
  enum Phase: Equatable {
    /// Nobody needs it.
    case idle
    /// Somebody does; the thread that follows will read up to the end.
    case wanted
    case ready
    /// It cannot be followed any more.
    case broken(LogError)
    case closed
  }

  struct State {
    var phase = Phase.idle
    var lastUsed = ContinuousClock.now
    var waitersCount = 0
    /// How far before the end following begins.
    var window = TailReader.windowMin
    /// What last went wrong on the way to the broker; nil once it was heard of again.
    var trouble: String?

    var start = Offset.zero
    /// Behind the last record that was read.
    var end = Offset.zero
    /// Everything committed before this has been read.
    var readTo = Offset.zero { didSet { compare() } }
    /// Where the broker said that the partition ends, and when it was asked; nil once that has been read.
    var endSaid: (end: Offset, asked: ContinuousClock.Instant)? { didSet { compare() } }
    /// Everything that was there at this moment has been read; nil before it is ready.
    var knownAt: ContinuousClock.Instant?
    var newestTime: Int64 = 0

    var chunks: [RecordChunk] = []
    /// Index of the oldest chunk: moving the rest down now and then costs less than each time.
    var oldest = 0
    var cachedFrom = Offset.zero
    var cachedBytes = 0
    /// Bytes and offsets of everything read: what a record takes, for guesses of what is not here.
    var bytesEver = 0
    var offsetsEver: Int64 = 0

    var keys = RecentKeys()
    /// Before here tombstones may be gone; and when the broker was last asked for it and for the start.
    var horizon: (offset: Offset, asked: ContinuousClock.Instant)?
    /// Before here records may be gone that a later one replaced, and none is of a later time.
    var clean: (offset: Offset, time: Int64)?
    /// When it was last asked for in vain.
    var horizonUnknown: (since: ContinuousClock.Instant, detail: String)?
  }

  let partition: Partition
  let state = Monitor<State>(State())

  init(_ partition: Partition) { self.partition = partition }

  var isReady: Bool { state.withLock { $0.phase == .ready } }

  /// Why it cannot be followed any more; nil when it can.
  var breach: LogError? {
    state.withLock { if case .broken(let error) = $0.phase { error } else { nil } }
  }
}

extension Tail.State {
  /// The partition is followed from here on.
  mutating func begin(start: Offset, from: Offset) {
    self.start = start
    end = from
    readTo = from
    cachedFrom = from
    chunks = []
    oldest = 0
    cachedBytes = 0
    keys = RecentKeys(from: from)
    endSaid = nil
    knownAt = nil
  }

  private mutating func compare() {
    guard let said = endSaid, readTo >= said.end else { return }
    knownAt = said.asked
    endSaid = nil
  }

  /// Takes what was read next. `readTo` is to follow when the appends in it are answered.
  /// - Parameter timeMax: a record that says to be newer was written by somebody without a clock: ours do not follow it.
  /// - Returns: the appends in it, each with its answer (law 18: where an earlier one with its key lies).
  mutating func take(
    _ chunk: RecordChunk, _ appends: [AppendFolder.Whole], cachedBytesMax: Int, timeMax: Int64
  ) -> [(AppendHeader.ID, Appended)] {
    chunks.append(chunk)
    cachedBytes += chunk.size
    bytesEver += chunk.size
    offsetsEver += chunk.next.rawValue - chunk.from.rawValue
    while cachedBytes > cachedBytesMax, oldest < chunks.count - 1 {
      cachedBytes -= chunks[oldest].size
      cachedFrom = chunks[oldest].next
      oldest += 1
    }
    if oldest > 64, oldest * 2 > chunks.count {
      chunks.removeFirst(oldest)
      oldest = 0
    }
    end = max(end, chunk.next)
    for row in chunk.rows where row.timestamp <= timeMax {
      newestTime = max(newestTime, row.timestamp)
    }
    return appends.map { append in
      (append.id, append.idempotencyKey.map { keys.take($0, append.place) } ?? append.place)
    }
  }

  /// Chunks to lend from `offset` on, and the position after them; nil when they are not here.
  ///
  /// Not from before the tombstone horizon: who was cut off for that long holds what was deleted meanwhile, and not the tombstones.
  func select(from offset: Offset, bytesMax: Int) -> (
    chunks: ArraySlice<RecordChunk>, next: Offset
  )? {
    if offset >= end { return ([], offset) }
    guard offset >= max(cachedFrom, horizon?.offset ?? .zero) else { return nil }
    var low = oldest
    var high = chunks.count
    while low < high {
      let middle = (low + high) / 2
      if chunks[middle].next > offset { high = middle } else { low = middle + 1 }
    }
    var last = low
    var size = 0
    while last < chunks.count, last == low || size < bytesMax {
      size += chunks[last].size
      last += 1
    }
    return (chunks[low..<last], last == low ? end : chunks[last - 1].next)
  }

  /// Where about so many bytes before the end begin.
  func tailStart(bytesMax: Int) -> Offset {
    var size = 0
    for index in stride(from: chunks.count - 1, through: oldest, by: -1) {
      size += chunks[index].size
      if size > bytesMax { return chunks[index].next }
    }
    // What lies before is taken to be like what was read here.
    let bytesEach = offsetsEver == 0 ? 0 : max(1, Int64(bytesEver) / offsetsEver)
    if bytesEach == 0 { return start }
    let more = Int64(bytesMax - size) / bytesEach
    return more >= cachedFrom.rawValue - start.rawValue
      ? start : Offset(cachedFrom.rawValue - more)
  }

  mutating func use() { lastUsed = .now }
}
