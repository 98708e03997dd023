internal import Glibc

extension DiskError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .failed(let operation, let path, let code):
      path.isEmpty ? "\(operation): \(reason(code))" : "\(operation) \(path): \(reason(code))"
    case .held(let text):
      "held by \(text)"
    }
  }

  /// The disk, or this user's share of it, has no room.
  package var isNoRoom: Bool {
    guard case .failed(_, _, let code) = self else { return false }
    return code == ENOSPC || code == EDQUOT
  }

  var isMissing: Bool {
    guard case .failed(_, _, let code) = self else { return false }
    return code == ENOENT
  }

  var isForbidden: Bool {
    guard case .failed(_, _, let code) = self else { return false }
    return code == EACCES || code == EROFS || code == EPERM
  }

  static func noRoom(operation: String, path: String) -> DiskError {
    .failed(operation: operation, path: path, code: ENOSPC)
  }
}

private func reason(_ code: Int32) -> String {
  unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
