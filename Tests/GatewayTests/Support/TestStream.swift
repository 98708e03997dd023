import Glibc
import NIOCore

/// One block of an event stream as the standard reads it.
struct StreamBlock: Equatable, Sendable {
  var event = "message"
  var data: [String] = []
  var id: String?
  var retry: String?
  var comments: [String] = []

  mutating func read(_ line: String) {
    guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) else { return }
    var value = line[line.utf8.index(after: colon)...]
    if value.utf8.first == UInt8(ascii: " ") { value = value.dropFirst() }
    switch line[..<colon] {
    case "": comments.append(String(value))
    case "event": event = String(value)
    case "data": data.append(String(value))
    case "id": id = String(value)
    case "retry": retry = String(value)
    default: break
    }
  }

  var text: String { data.joined(separator: "\n") }
  var isMessage: Bool { !data.isEmpty }
}

/// An event stream on a connection.
struct TestStream: Sendable {
  let connection: TestConnection

  /// The body so far, out of its chunks.
  static func body(of text: [UInt8]) -> (body: [UInt8], isComplete: Bool) {
    var rest = text[...]
    let blank = Array("\r\n\r\n".utf8)
    guard let head = rest.firstRange(of: blank) else { return ([], false) }
    rest = rest[head.upperBound...]
    var body: [UInt8] = []
    while let line = rest.firstRange(of: Array("\r\n".utf8)) {
      guard
        let count = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16)
      else { return (body, false) }
      if count == 0 { return (body, true) }
      body += rest[line.upperBound...].prefix(count)
      guard rest[line.upperBound...].count >= count + 2 else { break }
      rest = rest[line.upperBound...].dropFirst(count + 2)
    }
    return (body, false)
  }

  static func blocks(of text: [UInt8]) -> [StreamBlock] {
    var blocks: [StreamBlock] = []
    var block = StreamBlock()
    var isEmpty = true
    var rest = body(of: text).body[...]
    while let end = firstLineEnd(in: rest) {
      let line = String(decoding: rest.prefix(end), as: UTF8.self)
      rest = rest.dropFirst(end + 1)
      if line.isEmpty {
        if !isEmpty { blocks.append(block) }
        block = StreamBlock()
        isEmpty = true
      } else {
        isEmpty = false
        block.read(line)
      }
    }
    return blocks
  }

  var blocks: [StreamBlock] { TestStream.blocks(of: connection.received) }
  var messages: [StreamBlock] { blocks.filter { $0.isMessage && $0.event != "heartbeat" } }
  var isComplete: Bool { TestStream.body(of: connection.received).isComplete }

  /// Waits for blocks that fulfil the condition.
  @discardableResult
  func wait(
    seconds: Double = 20, _ what: String,
    until condition: @Sendable @escaping ([StreamBlock]) -> Bool
  ) async throws -> [StreamBlock] {
    let connection = connection
    try await connection.wait(seconds: seconds, what) { _ in
      condition(TestStream.blocks(of: connection.received))
    }
    return blocks
  }

  /// Waits until the stream says that it is live, and gives what came so far, heartbeats left out.
  @discardableResult
  func waitUntilLive() async throws -> [StreamBlock] {
    try await wait("live") { $0.contains { $0.event == "live" } }.filter { $0.event != "heartbeat" }
  }

  /// Waits for this many blocks with data, heartbeats left out.
  @discardableResult
  func wait(forMessages count: Int) async throws -> [StreamBlock] {
    try await wait("\(count) messages") { blocks in
      blocks.filter { $0.isMessage && $0.event != "heartbeat" }.count >= count
    }
    return messages
  }

  func close() { connection.channel.close(promise: nil) }
}

private func firstLineEnd(in bytes: ArraySlice<UInt8>) -> Int? {
  bytes.withUnsafeBytes { bytes in
    guard let base = bytes.baseAddress else { return nil }
    return memchr(base, 10, bytes.count).map { UnsafeRawPointer($0) - base }
  }
}
