import Glibc

/// What was found at the start of received bytes.
enum Reply: Equatable {
  /// More bytes are needed.
  case incomplete
  /// The connection is ready for its first request.
  case ready(length: Int)
  /// The request was accepted and is durable.
  case acknowledged(length: Int)
  /// Nothing that matters.
  case ignored(length: Int)
  /// The server wants these bytes.
  case demand([UInt8], length: Int)
  case refused(String)
}

/// How a load talks to a server: the same loop, the same number of bytes of payload, another protocol.
protocol PublishDialect: Sendable {
  /// What a connection sends first; nil when it may publish at once.
  func opening(connection: Int) -> [UInt8]?
  /// A request to publish `payload` on the connection's own channel.
  func request(connection: Int, payload: [UInt8]) -> [UInt8]
  /// Reads the start of what the server sent.
  func reply(in bytes: UnsafeRawBufferPointer) -> Reply
}

/// HTTP/1.1 with keep-alive, as `signalbox serve` speaks it.
struct HTTPDialect: PublishDialect {
  func opening(connection: Int) -> [UInt8]? { nil }

  func request(connection: Int, payload: [UInt8]) -> [UInt8] {
    request(channel: "bench-\(connection)", key: nil, payload: payload)
  }

  func request(channel: String, key: String?, payload: [UInt8]) -> [UInt8] {
    Array(
      """
      POST /v1/channels/\(channel)/messages HTTP/1.1\r
      Host: 127.0.0.1\r
      Content-Type: application/json\r\n\(key.map { "Signalbox-Key: \($0)\r\n" } ?? "")\
      Content-Length: \(payload.count)\r
      \r\n
      """.utf8) + payload
  }

  func reply(in bytes: UnsafeRawBufferPointer) -> Reply {
    guard let head = bytes.firstEnd(of: "\r\n\r\n") else { return .incomplete }
    guard bytes.count > 12, bytes[9] == UInt8(ascii: "2") else {
      return .refused(String(decoding: bytes, as: UTF8.self))
    }
    let length = HTTPDialect.contentLength(UnsafeRawBufferPointer(rebasing: bytes[..<head]))
    guard bytes.count >= head + length else { return .incomplete }
    return .acknowledged(length: head + length)
  }

  private static func contentLength(_ head: UnsafeRawBufferPointer) -> Int {
    guard
      let start = head.firstEnd(of: "ontent-length: ") ?? head.firstEnd(of: "ontent-Length: ")
    else { return 0 }
    var value = 0
    for byte in head[start...] {
      guard (48...57).contains(byte) else { break }
      value = value * 10 + Int(byte - 48)
    }
    return value
  }
}

/// The text protocol of NATS, every message with an inbox for JetStream's acknowledgement.
struct NATSDialect: PublishDialect {
  func opening(connection: Int) -> [UInt8]? {
    Array(
      "CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB _INBOX.\(connection) 1\r\nPING\r\n"
        .utf8)
  }

  func request(connection: Int, payload: [UInt8]) -> [UInt8] {
    Array("PUB bench.\(connection) _INBOX.\(connection) \(payload.count)\r\n".utf8) + payload
      + Array("\r\n".utf8)
  }

  func reply(in bytes: UnsafeRawBufferPointer) -> Reply {
    guard let line = bytes.firstEnd(of: "\r\n") else { return .incomplete }
    switch bytes[0] {
    case UInt8(ascii: "M"):
      // MSG subject sid length
      var length = 0
      var scale = 1
      var index = line - 3
      while bytes[index] != UInt8(ascii: " ") {
        length += Int(bytes[index] - 48) * scale
        scale *= 10
        index -= 1
      }
      let total = line + length + 2
      guard bytes.count >= total else { return .incomplete }
      let body = UnsafeRawBufferPointer(rebasing: bytes[line..<total - 2])
      guard body.firstEnd(of: "\"error\"") == nil else {
        return .refused(String(decoding: body, as: UTF8.self))
      }
      return .acknowledged(length: total)
    case UInt8(ascii: "P"):
      return bytes[1] == UInt8(ascii: "O")
        ? .ready(length: line) : .demand(Array("PONG\r\n".utf8), length: line)
    case UInt8(ascii: "-"):
      return .refused(String(decoding: bytes[..<line], as: UTF8.self))
    default:
      return .ignored(length: line)
    }
  }
}

extension UnsafeRawBufferPointer {
  /// The index behind the first occurrence of a text.
  func firstEnd(of text: StaticString) -> Int? {
    guard let base = baseAddress else { return nil }
    let length = text.utf8CodeUnitCount
    var index = 0
    while index + length <= count,
      let found = memchr(base + index, Int32(text.utf8Start[0]), count - index - length + 1)
    {
      index = UnsafeRawPointer(found) - base
      if memcmp(base + index, text.utf8Start, length) == 0 { return index + length }
      index += 1
    }
    return nil
  }
}
