import EventStorage
package import Events

/// What a client asks of an event stream.
package struct StreamRequest: Equatable, Sendable {
  package var channels: [ChannelName]
  package var isEnvelope: Bool
  /// `Last-Event-ID`, or else `?lastEventId=`.
  package var lastEventID: String?
  package var origin: String?

  /// The shape of its frames.
  var shape: StreamShape {
    channels.count > 1 ? .member : isEnvelope ? .envelope : .payload
  }

  /// Reads the target of a GET, or returns nil when it is no stream's.
  ///
  /// - Parameter target: path and query as they came.
  package static func read(
    target: Substring, lastEventID: String?, origin: String?, limits: GatewayLimits
  ) throws(Problem) -> StreamRequest? {
    let (path, query) = RequestTarget.split(target)
    let isMany = path == "/v1/events"
    var channels: [ChannelName] = []
    if !isMany {
      guard path.hasPrefix("/v1/channels/"), path.hasSuffix("/events") else { return nil }
      let name = path.dropFirst("/v1/channels/".count).dropLast("/events".count)
      guard !name.contains("/") else { return nil }
      channels = [try RequestTarget.channel(name)]
    }
    var request = StreamRequest(
      channels: channels, isEnvelope: isMany, lastEventID: lastEventID, origin: origin)
    for (name, value) in RequestTarget.parameters(query) {
      switch name {
      case "channel" where isMany:
        let channel = try RequestTarget.channel(value)
        if !request.channels.contains(channel) { request.channels.append(channel) }
      case "lastEventId":
        // A browser repeats the query when it reconnects, so the header is the newer of the two.
        if lastEventID == nil {
          request.lastEventID = try RequestTarget.decode(value, what: "lastEventId")
        }
      case "envelope" where !isMany:
        guard ["true", "false"].contains(value) else { throw .envelope(String(value)) }
        request.isEnvelope = value == "true"
      default: break
      }
    }
    if request.channels.isEmpty { throw .noChannels }
    if request.channels.count > limits.channelsPerStreamMax {
      throw .tooManyChannels(request.channels.count, limit: limits.channelsPerStreamMax)
    }
    if request.lastEventID?.isEmpty == true { request.lastEventID = nil }
    return request
  }
}

/// Takes the target of a request apart.
package enum RequestTarget {
  package static func split(_ target: Substring) -> (path: Substring, query: Substring) {
    guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return (target, "") }
    return (target[..<mark], target[target.utf8.index(after: mark)...])
  }

  package static func parameters(_ query: Substring) -> [(name: Substring, value: Substring)] {
    query.split(separator: "&").map { pair in
      guard let equals = pair.utf8.firstIndex(of: UInt8(ascii: "=")) else { return (pair, "") }
      return (pair[..<equals], pair[pair.utf8.index(after: equals)...])
    }
  }

  package static func channel(_ text: Substring) throws(Problem) -> ChannelName {
    let name = try decode(text, what: "The channel's name")
    do { return try ChannelName(name) } catch { throw .name("The channel's name", error) }
  }

  package static func key(_ text: Substring) throws(Problem) -> MessageKey {
    let name = try decode(text, what: "The key")
    do { return try MessageKey(name) } catch { throw .name("The key", error) }
  }

  /// Percent-decoding to UTF-8. A plus is a plus.
  package static func decode(_ text: Substring, what: String) throws(Problem) -> String {
    guard text.utf8.contains(UInt8(ascii: "%")) else { return String(text) }
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(hexadecimal),
        let low = rest.popFirst().flatMap(hexadecimal)
      else { throw .percentEncoding(what) }
      bytes.append(high << 4 | low)
    }
    guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .notUTF8(what) }
    return decoded
  }

  private static func hexadecimal(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
