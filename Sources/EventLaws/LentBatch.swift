public import EventStorage

extension RecordSink where Self: ~Copyable {
  /// Lends these records as one batch of a log.
  ///
  /// - Parameters:
  ///   - next: The position after the batch; behind the last record unless told otherwise.
  ///   - padding: Bytes of other things that lie before, between and behind keys and values, as they do in a file.
  public mutating func apply(
    _ records: some Collection<LoggedRecord>, next: Offset? = nil, padding: Int = 0
  ) {
    var bytes: [UInt8] = []
    var rows: [RecordRow] = []
    var end = Offset.zero
    rows.reserveCapacity(records.count)
    for record in records {
      bytes.append(contentsOf: repeatElement(0xa5, count: padding))
      let keyStart = bytes.count
      bytes += record.key
      bytes.append(contentsOf: repeatElement(0xa5, count: padding))
      let valueStart = bytes.count
      if let value = record.value { bytes += value }
      rows.append(
        RecordRow(
          offset: record.offset, timestamp: record.timestamp, keyStart: Int32(keyStart),
          keyLength: Int32(record.key.count), valueStart: Int32(valueStart),
          valueLength: record.value.map { Int32($0.count) } ?? -1))
      end = record.next
    }
    bytes.append(contentsOf: repeatElement(0xa5, count: padding))
    apply(bytes.span.bytes, rows.span, next: next ?? end)
  }
}
