/// Where a log is, as the command line and the configuration name it.
package enum LogURL: Equatable, Sendable {
  /// `file:./data`: an embedded log in this folder.
  case file(path: String)
  /// `memory:`: gone when the process ends.
  case memory
  /// `recording:PATH`: a recorded partition, without the `.log` of its file name. Read only.
  case recording(path: String)

  /// Reads a URL or says what was expected.
  package init(_ text: String) throws(LogURLFailure) {
    if text == "memory:" {
      self = .memory
    } else if text.hasPrefix("file:"), text.utf8.count > "file:".utf8.count {
      self = .file(path: String(text.dropFirst("file:".count)))
    } else if text.hasPrefix("recording:"), text.utf8.count > "recording:".utf8.count {
      self = .recording(path: String(text.dropFirst("recording:".count)))
    } else {
      throw LogURLFailure(text: text)
    }
  }
}

/// A text that names no log.
package struct LogURLFailure: Error, CustomStringConvertible {
  let text: String

  package var description: String {
    "“\(text)” names no log; write file:FOLDER, memory: or recording:FILE"
  }
}
