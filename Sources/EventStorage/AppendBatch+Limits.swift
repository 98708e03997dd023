extension AppendBatch {
  /// Throws `.tooLarge` when the batch breaks one of `LogLimits`. Every log refuses the same batches, in the same words.
  /// - Returns: the bytes of its keys and values.
  @discardableResult
  package func checkLimits() throws(LogError) -> Int {
    try check("records of the batch", records.count, LogLimits.batchRecordsMax)
    if records.isEmpty {
      throw .tooLarge(what: "the batch", size: 0, limit: LogLimits.batchRecordsMax)
    }
    var bytes = 0
    // By index: an iterator would retain every record.
    for index in records.indices {
      let size = records[index].byteCount
      try check("bytes of record \(index)", size, LogLimits.recordBytesMax)
      bytes += size
    }
    try check("bytes of the batch", bytes, LogLimits.batchBytesMax)
    if let idempotencyKey {
      try check(
        "bytes of the idempotency key", idempotencyKey.utf8.count,
        LogLimits.idempotencyKeyBytesMax)
    }
    return bytes
  }

  private func check(
    _ what: @autoclosure () -> String, _ size: Int, _ limit: Int
  ) throws(LogError) {
    if size > limit { throw .tooLarge(what: what(), size: size, limit: limit) }
  }
}
