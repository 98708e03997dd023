internal import EventStorage

/// Gathers records that a broker sent into a batch, as readers take it.
struct BatchBuilder {
  private var bytes: [UInt8] = []
  private var rows: [RecordRow] = []

  var isEmpty: Bool { rows.isEmpty }

  mutating func take(_ record: KafkaFetched.Record) {
    let keyStart = bytes.count
    bytes += record.key
    let valueStart = bytes.count
    bytes += record.value ?? []
    rows.append(
      RecordRow(
        offset: record.offset, timestamp: record.timestamp, keyStart: Int32(keyStart),
        keyLength: Int32(record.key.count), valueStart: Int32(valueStart),
        valueLength: record.value.map { Int32($0.count) } ?? -1))
  }

  /// What was gathered, up to right behind its last record; nil when there is nothing.
  mutating func finish() -> ServedBatch? {
    guard let last = rows.last else { return nil }
    defer { self = BatchBuilder() }
    return ServedBatch(bytes: bytes, rows: rows, next: Offset(last.offset.rawValue + 1))
  }
}
