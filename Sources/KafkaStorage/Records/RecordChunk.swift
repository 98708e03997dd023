internal import EventStorage

/// Whole appends as they were read: the bytes of their records in one piece, and where each lies.
struct RecordChunk: Sendable {
  let bytes: [UInt8]
  let rows: [RecordRow]
  /// Where the chunk before ended.
  let from: Offset
  /// The position behind the last record.
  let next: Offset

  /// What it takes in memory, in bytes.
  var size: Int { bytes.count + rows.count * MemoryLayout<RecordRow>.stride }

  /// Lends the records from `offset` on.
  func lend<Sink: RecordSink & ~Copyable>(from offset: Offset, to sink: inout Sink) {
    let first = offset <= from ? 0 : rows.firstIndex { $0.offset >= offset } ?? rows.endIndex
    if first == rows.endIndex { return }
    unsafe sink.apply(bytes.span.bytes, rows.span.extracting(first...), next: next)
  }
}

/// Gathers records into a chunk, each copied once.
struct ChunkBuilder: Sendable {
  private(set) var bytes: [UInt8] = []
  private(set) var rows: [RecordRow] = []

  var isEmpty: Bool { rows.isEmpty }
  var size: Int { bytes.count + rows.count * MemoryLayout<RecordRow>.stride }
  /// The position behind the last record.
  var next: Offset? { rows.last.map { Offset($0.offset.rawValue + 1) } }

  mutating func take(_ message: Message) {
    let key = unsafe message.key
    let keyStart = bytes.count
    unsafe bytes.append(contentsOf: key)
    let valueStart = bytes.count
    var valueLength: Int32 = -1
    if let value = unsafe message.value {
      unsafe bytes.append(contentsOf: value)
      valueLength = Int32(value.count)
    }
    rows.append(
      RecordRow(
        offset: message.offset, timestamp: message.timestamp, keyStart: Int32(keyStart),
        keyLength: Int32(key.count), valueStart: Int32(valueStart), valueLength: valueLength))
  }

  /// What was gathered; the builder is empty afterwards.
  mutating func finish(from: Offset) -> RecordChunk? {
    guard let next else { return nil }
    defer {
      bytes = []
      rows = []
    }
    return RecordChunk(bytes: bytes, rows: rows, from: from, next: next)
  }

  /// Lends what was gathered, and keeps its memory for what comes next.
  mutating func lend<Sink: RecordSink & ~Copyable>(to sink: inout Sink) {
    guard let next else { return }
    unsafe sink.apply(bytes.span.bytes, rows.span, next: next)
    bytes.removeAll(keepingCapacity: true)
    rows.removeAll(keepingCapacity: true)
  }
}
