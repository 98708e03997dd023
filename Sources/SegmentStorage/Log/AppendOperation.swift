internal import EventStorage

/// Something a commit thread is asked to do.
enum AppendOperation: Sendable {
  case append(AppendBatch, bytes: Int, @Sendable (Result<Appended, LogError>) -> Void)
  case fence(Int64, @Sendable (Result<Writer, LogError>) -> Void)
  /// Closes the active segment, so that it can be compacted or removed.
  case roll(@Sendable (Result<Void, LogError>) -> Void)

  var bytes: Int {
    if case .append(_, let bytes, _) = self { bytes } else { 0 }
  }

  func refuse(_ error: LogError) {
    switch self {
    case .append(_, _, let completion): completion(.failure(error))
    case .fence(_, let completion): completion(.failure(error))
    case .roll(let completion): completion(.failure(error))
    }
  }
}

/// Judges a batch by `LogLimits`, and counts its bytes.
func checkedBytes(of batch: AppendBatch) throws(LogError) -> Int {
  guard !batch.records.isEmpty else {
    throw .tooLarge(what: "an empty batch", size: 0, limit: LogLimits.batchRecordsMax)
  }
  guard batch.records.count <= LogLimits.batchRecordsMax else {
    throw .tooLarge(
      what: "records of a batch", size: batch.records.count, limit: LogLimits.batchRecordsMax)
  }
  var bytes = 0
  for record in batch.records {
    guard record.byteCount <= LogLimits.recordBytesMax else {
      throw .tooLarge(
        what: "bytes of a record", size: record.byteCount, limit: LogLimits.recordBytesMax)
    }
    bytes += record.byteCount
  }
  guard bytes <= LogLimits.batchBytesMax else {
    throw .tooLarge(what: "bytes of a batch", size: bytes, limit: LogLimits.batchBytesMax)
  }
  if let count = batch.idempotencyKey?.utf8.count, count > LogLimits.idempotencyKeyBytesMax {
    throw .tooLarge(
      what: "bytes of an idempotency key", size: count, limit: LogLimits.idempotencyKeyBytesMax)
  }
  return bytes
}
