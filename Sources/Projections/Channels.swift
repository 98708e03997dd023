public import EventStorage
public import Events

/// The channels of one partition: the last message of every key that is neither deleted nor expired.
///
/// Last writer wins and no record is refused, so a compacted log folds to the same state (law 6). For the same reason a value that
/// cannot be read, or is of an unknown type, takes its key away: an older message of the key may be gone from the log already, so the
/// only answer that does not depend on compaction is that the key has no known message. It is counted, and comes back when the key is
/// written again.
public struct Channels: Projection {
  /// In snapshots and on the command line.
  public static let name = "channels"
  /// Version of the meaning of this fold.
  public static let foldVersion: UInt32 = 1

  /// What was met.
  public private(set) var counts = FoldCounts()
  /// What could not be used.
  public private(set) var poisoned = RecentPoison()
  /// The newest time read, in milliseconds since 1970. Expiry is decided by it.
  public private(set) var logTime: Int64 = 0
  /// Whether the last batch may have displaced a message behind the time at which it ran out: divided elsewhere, the batch would have shown
  /// its end in between.
  public private(set) var mayHideExpiry = false
  /// Whether `takeExpired` will be called. Off, keys that expire are forgotten silently.
  public var collectsExpired = false

  private var table = ChannelTable()
  private var expiries = ExpiryQueue()
  private var expired: [ExpiredKey] = []
  private var rows = RowScratch()

  /// No messages.
  public init() {}

  /// How many messages there are.
  public var count: Int { table.count }
  /// Bytes of the keys and bodies of the messages.
  public var heldBytes: Int { table.heldBytes }
  /// Bytes of memory that all of it takes.
  public var memoryBytes: Int { table.memoryBytes + expiries.memoryBytes + rows.memoryBytes }
  /// When the next message expires, in milliseconds since 1970; nil when none does.
  public var nextExpiry: Int64? { expiries.first?.expiresAt }

  /// The messages of a channel in the order of their offsets.
  public func messages(in channel: ChannelName) -> [ChannelMessage] {
    Array(channel.text.utf8).withUnsafeBytes { name in
      table.entries(of: name).map(ChannelMessage.init).sorted { $0.offset < $1.offset }
    }
  }

  /// The keys that expired since this was last called, in the order of their expiry.
  public mutating func takeExpired() -> [ExpiredKey] {
    defer { expired = [] }
    return expired
  }

  /// Folds a batch.
  public mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    beginBatch()
    var newest = logTime
    for index in rows.indices {
      let row = rows[index]
      newest = max(newest, row.timestamp)
      let meaning = RecordMeaning(row, in: bytes)
      if !gather(row, meaning, of: bytes) { countForeign(row, meaning, of: bytes) }
    }
    endBatch(bytes, logTime: newest)
  }

  /// Begins a batch that is gathered.
  mutating func beginBatch() { rows.clear() }

  /// Notes one record whose envelope has been read; `endBatch` folds it. False, and nothing done, when its key is no message's.
  @inline(__always)
  mutating func gather(_ row: RecordRow, _ meaning: RecordMeaning, of bytes: RawSpan) -> Bool {
    if case .event(.messagePublished, let body) = meaning {
      guard rows.add(row, body: body, in: bytes) else { return false }
    } else {
      guard rows.add(row, body: nil, in: bytes) else { return false }
      switch meaning {
      case .tombstone: break
      case .event, .unknown: counts.unknown += 1
      case .poison: countPoison(row.offset.rawValue, row.key, of: bytes)
      }
    }
    counts.records += 1
    return true
  }

  /// Counts a record whose key is no message's.
  mutating func countForeign(_ row: RecordRow, _ meaning: RecordMeaning, of bytes: RawSpan) {
    counts.records += 1
    switch meaning {
    case .event(.timePassed, _): break
    case .event(.messagePublished, _), .tombstone, .poison:
      countPoison(row.offset.rawValue, row.key, of: bytes)
    case .event, .unknown: counts.unknown += 1
    }
  }

  /// Folds what was gathered from `bytes`, at the newest time that was read.
  mutating func endBatch(_ bytes: RawSpan, logTime: Int64) {
    self.logTime = max(self.logTime, logTime)
    applyScratch(bytes)
  }

  private mutating func countPoison(_ offset: Int64, _ key: Range<Int>, of bytes: RawSpan) {
    counts.poison += 1
    bytes.withUnsafeBytes {
      poisoned.add(Offset(offset), key: UnsafeRawBufferPointer(rebasing: $0[key]))
    }
  }

  private mutating func applyScratch(_ bytes: RawSpan) {
    if !isKnownUniquelyReferenced(&table) { table = table.copy() }
    let table = table
    bytes.withUnsafeBytes { buffer in
      guard let base = buffer.baseAddress else { return }
      rows.forEachPrefetched(base, table) { row in
        let key = UnsafeRawBufferPointer(start: base + Int(row.keyStart), count: Int(row.keyLength))
        guard row.bodyLength >= 0 else { return table.remove(row.hash, key: key) }
        let range = Int(row.bodyStart)..<Int(row.bodyStart) + Int(row.bodyLength)
        let expiresAt: Int64
        do throws(DecodeFailure) {
          expiresAt = try MessageFields(body: range, of: bytes).expiresAt
        } catch {
          table.remove(row.hash, key: key)
          return countPoison(row.offset, row.key, of: bytes)
        }
        let isKept = table.put(
          row.hash, key: key, separator: Int(row.separator),
          body: UnsafeRawBufferPointer(start: base + range.lowerBound, count: range.count),
          offset: row.offset, timestamp: row.timestamp)
        guard isKept else { return countPoison(row.offset, row.key, of: bytes) }
        if expiresAt != 0 {
          expiries.add(expiresAt: expiresAt, offset: row.offset, hash: row.hash, key: key)
        }
      }
    }
    settleExpiries()
    if expiries.isStale(live: table.count) { dropStaleExpiries() }
  }

  /// Takes away what is due, until the first expiry is that of a message that is there and has time left.
  private mutating func settleExpiries() {
    mayHideExpiry = false
    while let first = expiries.first {
      let isHeld = table.holds(first)
      if isHeld, first.expiresAt > logTime { return }
      if !isHeld, first.expiresAt <= logTime { mayHideExpiry = true }
      expiries.removeFirst()
      guard isHeld else { continue }
      first.key.withUnsafeBytes { table.remove(first.hash, key: $0) }
      if collectsExpired, let (channel, key) = EventKey.message(bytes: first.key) {
        expired.append(ExpiredKey(channel: channel, key: key))
      }
    }
  }

  private mutating func dropStaleExpiries() {
    let table = table
    expiries.keep { table.holds($0) }
  }

  /// Time, then every message in the order of its key bytes.
  public func encode(into bytes: inout [UInt8]) {
    let entries = table.all.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    bytes.append(littleEndian: logTime)
    bytes.append(littleEndian: UInt64(entries.count))
    for entry in entries {
      bytes.append(littleEndian: entry.offset)
      bytes.append(littleEndian: entry.timestamp)
      bytes.append(littleEndian: UInt16(entry.keyLength))
      bytes.append(littleEndian: UInt32(entry.bodyLength))
      bytes.append(contentsOf: entry.key)
      bytes.append(contentsOf: entry.body)
    }
  }

  /// Reads what `encode` wrote.
  public init(decoding bytes: RawSpan) throws(SnapshotFailure) {
    self.init()
    var reader = StateReader(bytes.byteCount)
    logTime = try reader.next(Int64.self, in: bytes)
    let count = try reader.next(UInt64.self, in: bytes)
    var last: Range<Int>?
    for _ in 0..<count {
      let offset = try reader.next(Int64.self, in: bytes)
      let timestamp = try reader.next(Int64.self, in: bytes)
      let keyLength = Int(try reader.next(UInt16.self, in: bytes))
      let bodyLength = Int(try reader.next(UInt32.self, in: bytes))
      let key = try reader.range(keyLength)
      let body = try reader.range(bodyLength)
      try check(key, body, after: last, of: bytes)
      last = key
      rows.clear()
      // A state may be longer than a batch, whose places are 32 bits.
      let entry = bytes.extracting(key.lowerBound..<body.upperBound)
      let row = RecordRow(
        offset: Offset(offset), timestamp: timestamp, keyStart: 0, keyLength: Int32(keyLength),
        valueStart: 0, valueLength: 0)
      rows.add(row, body: keyLength..<keyLength + bodyLength, in: entry)
      applyScratch(entry)
    }
    guard reader.isAtEnd, self.count == Int(count) else {
      throw .damaged("channels: the state does not end where it says")
    }
  }

  private func check(
    _ key: Range<Int>, _ body: Range<Int>, after last: Range<Int>?, of bytes: RawSpan
  ) throws(SnapshotFailure) {
    let isMessage = EventKey.separator(key, of: bytes) != nil
    let isLater = bytes.withUnsafeBytes { buffer in
      last.map { buffer[$0].lexicographicallyPrecedes(buffer[key]) } ?? true
    }
    let expiresAt = (try? MessageFields(body: body, of: bytes))?.expiresAt
    guard isMessage, isLater, let expiresAt, expiresAt == 0 || expiresAt > logTime else {
      throw .damaged("channels: a message that no fold makes")
    }
  }
}
