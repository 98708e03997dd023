/// Where a log is, as the command line and the configuration name it.
package enum LogURL: Equatable, Sendable {
  /// `file:./data`: an embedded log in this folder.
  case file(path: String)
  /// `memory:`: gone when the process ends.
  case memory
  /// `recording:PATH`: a recorded partition, without the `.log` of its file name. Read only.
  case recording(path: String)

  /// `kafka://host:9092,other:9092?prefix=signalbox`: topics of this prefix on these brokers.
  case kafka(brokers: String, prefix: String)

  /// Reads a URL or says what was expected.
  package init(_ text: String) throws(LogURLFailure) {
    if text == "memory:" {
      self = .memory
    } else if text.hasPrefix("file:"), text.utf8.count > "file:".utf8.count {
      self = .file(path: String(text.dropFirst("file:".count)))
    } else if text.hasPrefix("recording:"), text.utf8.count > "recording:".utf8.count {
      self = .recording(path: String(text.dropFirst("recording:".count)))
    } else if text.hasPrefix("kafka://") {
      self = try LogURL.kafka(text)
    } else {
      throw LogURLFailure(text: text)
    }
  }

  private static func kafka(_ text: String) throws(LogURLFailure) -> LogURL {
    if text.contains("@") { throw LogURLFailure(text: text, hasUser: true) }
    let parts = text.dropFirst("kafka://".count).split(
      separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var prefix = "signalbox"
    if parts.count == 2 {
      guard parts[1].hasPrefix("prefix=") else { throw LogURLFailure(text: text) }
      prefix = String(parts[1].dropFirst("prefix=".count))
    }
    // What Kafka allows in the name of a topic, and room for what comes behind it.
    let isPrefix =
      (1...200).contains(prefix.utf8.count)
      && prefix.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
          UInt8(ascii: "-"):
          true
        default: false
        }
      }
    let areBrokers =
      !parts[0].isEmpty
      && parts[0].split(separator: ",", omittingEmptySubsequences: false).allSatisfy { broker in
        guard let colon = broker.lastIndex(of: ":"), colon != broker.startIndex,
          let port = UInt16(broker[broker.index(after: colon)...])
        else { return false }
        return port > 0 && !broker.contains("/")
      }
    guard isPrefix, areBrokers else { throw LogURLFailure(text: text) }
    return .kafka(brokers: String(parts[0]), prefix: prefix)
  }
}

/// A text that names no log.
package struct LogURLFailure: Error, CustomStringConvertible {
  let text: String
  var hasUser = false

  package var description: String {
    // Not the text itself: it may hold a password.
    if hasUser {
      return
        "the URL of a log on Kafka names brokers and no user; write kafka://HOST:PORT?prefix=NAME, and give "
        + "sasl.username and sasl.password as properties"
    }
    return "“\(text)” names no log; write file:FOLDER, kafka://HOST:PORT?prefix=NAME, memory: "
      + "or recording:FILE"
  }
}
