package import NIOCore

/// Looks at the head of a request before anything parses it, to find plain requests for an event stream.
///
/// What it does not recognise at once as such a request goes to the HTTP stack, which judges it properly.
package enum RequestHead {
  /// The length of the head, its blank line included, or nil when it is not complete yet.
  package static func length(in bytes: ByteBufferView) -> Int? {
    var lineStart = bytes.startIndex
    while let end = bytes[lineStart...].firstIndex(of: UInt8(ascii: "\n")) {
      let isBlank =
        end == lineStart || end == lineStart + 1 && bytes[lineStart] == UInt8(ascii: "\r")
      if isBlank, lineStart > bytes.startIndex { return end + 1 - bytes.startIndex }
      lineStart = end + 1
    }
    return nil
  }

  /// How many header fields a head has.
  static func fieldCount(in head: ByteBufferView) -> Int {
    head.split(separator: UInt8(ascii: "\n")).count { $0.count > 1 } - 1
  }

  /// The `Origin` that these bytes name, which need be no complete head, nor a good one.
  static func origin(in bytes: ByteBufferView) -> String? {
    for line in bytes.split(separator: UInt8(ascii: "\n")) where line.last == UInt8(ascii: "\r") {
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")),
        String(decoding: line[..<colon], as: UTF8.self).lowercased() == "origin"
      else { continue }
      return String(validating: trimmed(line[(colon + 1)...].dropLast()), as: UTF8.self)
    }
    return nil
  }

  /// True when these first bytes can be the beginning of a request.
  package static func mayBegin(with bytes: ByteBufferView) -> Bool {
    bytes.first.map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 } ?? true
  }

  /// The stream that a head asks for, or nil when it asks for something else, or not plainly.
  package static func streamRequest(
    in head: ByteBufferView, limits: GatewayLimits
  ) -> StreamRequest? {
    guard head.starts(with: "GET /v1/".utf8) else { return nil }
    let lines = head.split(separator: UInt8(ascii: "\n"))
    guard let first = lines.first, first.count > 14, first.last == UInt8(ascii: "\r"),
      first.dropLast().suffix(9).elementsEqual(" HTTP/1.1".utf8),
      let target = String(validating: first.dropFirst(4).dropLast(10), as: UTF8.self),
      target.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f })
    else { return nil }
    let path = RequestTarget.split(target[...]).path
    guard path == "/v1/events" || path.hasSuffix("/events"),
      fieldCount(in: head) <= limits.headerFieldsMax
    else { return nil }
    var lastEventID: String?
    var origin: String?
    for line in lines.dropFirst() where line.count > 1 {
      guard line.last == UInt8(ascii: "\r"), let colon = line.firstIndex(of: UInt8(ascii: ":")),
        colon > line.startIndex, line[..<colon].allSatisfy(isToken),
        let name = String(validating: line[..<colon], as: UTF8.self)
      else { return nil }
      let value = trimmed(line[(colon + 1)...].dropLast())
      guard value.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else { return nil }
      switch name.lowercased() {
      case "last-event-id" where lastEventID == nil:
        lastEventID = String(decoding: value, as: UTF8.self)
      case "origin" where origin == nil: origin = String(decoding: value, as: UTF8.self)
      // What is said twice is nothing plain, nor is a body, an upgrade or a wish to be asked.
      case "last-event-id", "origin": return nil
      case "content-length", "transfer-encoding", "upgrade", "expect": return nil
      default: break
      }
    }
    return try? StreamRequest.read(
      target: target[...], lastEventID: lastEventID, origin: origin, limits: limits)
  }

  /// Whether a byte may stand in the name of a header (RFC 9110).
  private static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }

  private static func trimmed(_ value: ByteBufferView) -> ByteBufferView {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
    guard let first = value.firstIndex(where: { !isSpace($0) }),
      let last = value.lastIndex(where: { !isSpace($0) })
    else { return value[value.startIndex..<value.startIndex] }
    return value[first...last]
  }
}
