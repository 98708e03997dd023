internal import EventStorage

/// What a partition remembers about appends besides their records: which writers are in (law 16) and which idempotency
/// keys it has answered (law 18).
///
/// Written to `appends.state` when a segment is closed and when the log is closed; what came after is read from the records.
struct AppendMemory: Equatable, Sendable {
  /// Writers a partition can tell apart.
  static let writersMax = 10_000
  static let magic = Array("SBXAPPND".utf8)
  /// Version 1 did not have the newest time; it is still read.
  static let version: UInt32 = 2
  /// Generous: every key at its longest, every writer.
  static let bytesMax =
    64 + LogLimits.idempotencyKeysMax * (LogLimits.idempotencyKeyBytesMax + 17) + writersMax * 10

  private(set) var epochs: [Int64: Int16] = [:]
  private var answers: [String: Appended] = [:]
  /// Keys by age, the oldest at `oldest`.
  private var order: [String] = []
  private var oldest = 0

  init() {}

  func epoch(of writer: Int64) -> Int16? { epochs[writer] }

  /// False when there are too many writers.
  func hasRoom(for writer: Int64) -> Bool {
    epochs[writer] != nil || epochs.count < AppendMemory.writersMax
  }

  mutating func observe(_ writer: Writer) {
    epochs[writer.id] = max(epochs[writer.id] ?? writer.epoch, writer.epoch)
  }

  func answer(to key: String) -> Appended? { answers[key] }

  mutating func remember(_ key: String, _ appended: Appended) {
    guard answers.updateValue(appended, forKey: key) == nil else { return }
    order.append(key)
    if order.count - oldest > LogLimits.idempotencyKeysMax {
      answers[order[oldest]] = nil
      oldest += 1
      // Moving the rest down now and then costs less than a ring.
      if oldest == LogLimits.idempotencyKeysMax {
        order.removeFirst(oldest)
        oldest = 0
      }
    }
  }

  /// The file, good for every record before `end`, the newest of which is of this time. Retention may take the records; their time
  /// must not come again.
  func encoded(upTo end: Offset, newest: Int64) -> [UInt8] {
    var store = ByteStore(capacity: 64 + (order.count - oldest) * 64)
    store.append(AppendMemory.magic)
    store.append(littleEndian: AppendMemory.version)
    store.append(littleEndian: end.rawValue)
    store.append(littleEndian: newest)
    store.append(littleEndian: UInt32(epochs.count))
    for (id, epoch) in epochs.sorted(by: { $0.key < $1.key }) {
      store.append(littleEndian: id)
      store.append(littleEndian: epoch)
    }
    store.append(littleEndian: UInt32(order.count - oldest))
    for key in order[oldest...] {
      guard let answer = answers[key] else { continue }
      let bytes = Array(key.utf8)
      store.append(littleEndian: UInt8(bytes.count))
      store.reserve(bytes.count)
      store.append(bytes)
      store.append(littleEndian: answer.first.rawValue)
      store.append(littleEndian: answer.end.rawValue)
    }
    return store.sealed()
  }

  /// Nil when the file is damaged.
  static func decode(_ file: [UInt8]) -> (memory: AppendMemory, upTo: Offset, newest: Int64)? {
    let current = checkedBody(of: file, magic: magic, version: version)
    guard let body = current ?? checkedBody(of: file, magic: magic, version: 1) else {
      return nil
    }
    var fields = FieldReader(body)
    var memory = AppendMemory()
    guard let end = fields.next(Int64.self),
      let newest = current == nil ? 0 : fields.next(Int64.self),
      let writers = fields.next(UInt32.self)
    else {
      return nil
    }
    for _ in 0..<writers {
      guard let id = fields.next(Int64.self), let epoch = fields.next(Int16.self) else {
        return nil
      }
      memory.observe(Writer(id: id, epoch: epoch))
    }
    guard let keys = fields.next(UInt32.self) else { return nil }
    for _ in 0..<keys {
      guard let length = fields.next(UInt8.self), let bytes = fields.next(bytes: Int(length)),
        let key = String(validating: bytes, as: UTF8.self),
        let first = fields.next(Int64.self), let last = fields.next(Int64.self)
      else { return nil }
      memory.remember(key, Appended(first: Offset(first), end: Offset(last), isRepeat: true))
    }
    return fields.remaining == 0 ? (memory, Offset(end), newest) : nil
  }
}

/// Gathers what `AppendMemory` keeps from the records of one batch.
struct MemoryVisitor: BatchVisitor {
  var memory: AppendMemory

  mutating func visit(_ records: RawSpan, _ header: BatchHeader) throws(BatchDamage) {
    if header.producerID >= 0 {
      memory.observe(Writer(id: header.producerID, epoch: header.producerEpoch))
    }
    guard !header.isControl else { return }
    var finder = KeyFinder()
    try walkRecords(records, header, &finder)
    for found in finder.found {
      var key: String?
      var count: Int64?
      let isWhole = walkHeaders(records, from: found.start, to: found.end) { name, value in
        let name = text(records, name)
        if name == "idempotency-key" { key = text(records, value) }
        if name == "idempotency-count" { count = Int64(text(records, value)) }
      }
      guard isWhole else { throw .recordLength }
      // An append lies in one batch, and its key is within the limit: anything else was not written by this log.
      if let key, key.utf8.count <= LogLimits.idempotencyKeyBytesMax, let count, count > 0,
        count <= header.next - found.offset.rawValue
      {
        let end = Offset(found.offset.rawValue + count)
        memory.remember(key, Appended(first: found.offset, end: end, isRepeat: true))
      }
    }
  }

  private func text(_ bytes: RawSpan, _ range: Range<Int>) -> String {
    unsafe bytes.extracting(range).withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
  }
}

/// Finds the records that have headers.
private struct KeyFinder: RecordVisitor {
  var found: [(offset: Offset, start: Int, end: Int)] = []

  mutating func visit(_ row: RecordRow, extent: Range<Int>, headersStart: Int) {
    // No headers is one byte, zero.
    if extent.upperBound - headersStart > 1 {
      found.append((row.offset, headersStart, extent.upperBound))
    }
  }
}
