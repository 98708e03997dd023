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
