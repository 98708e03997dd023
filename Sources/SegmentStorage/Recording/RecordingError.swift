internal import EventStorage

/// Why a recording cannot be replayed. Says what, where and what to do.
package enum RecordingError: Error, Equatable, Sendable {
  case cannotOpen(path: String, reason: String)
  /// The file ends before its manifest says; whole batches end at `offset`.
  case cutShort(path: String, offset: Int64, bytes: Int, expected: Int)
  /// What lies at `offset` is not what was recorded.
  case damaged(path: String, offset: Int64, detail: String)
  case cannotWrite(path: String, reason: String)
}

extension RecordingError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .cannotOpen(let path, let reason):
      "cannot open the recording \(path): \(reason); check the path"
    case .cutShort(let path, let offset, let bytes, let expected):
      "the recording \(path) is cut short at offset \(offset): it has \(bytes) bytes of \(expected); "
        + "fetch or record it again"
    case .damaged(let path, let offset, let detail):
      "the recording \(path) is damaged at offset \(offset): \(detail); fetch or record it again"
    case .cannotWrite(let path, let reason):
      "cannot write the recording \(path): \(reason); check the path and the disk"
    }
  }
}
