import Events
import FoundationEssentials
import PropertyTesting
import SwiftProtobuf
import Testing

/// Messages read in place say what swift-protobuf says, in whatever form they are written.
@Suite struct MessageFieldsTests {
  @Test func `a body in any form is read as swift-protobuf reads it, or refused`() throws {
    let options = PropertyOptions(mustSee: ["read": 0.2, "refused": 0.05, "other form": 0.2])
    try forAll("messages read in place", options) { choices in
      var body = MessageFieldsTests.body(&choices)
      let isDamaged = choices.oneIn(4) && !body.isEmpty
      if isDamaged {
        body[choices.int(in: 0...body.count - 1)] = UInt8(choices.int(in: 0...255))
        body.removeLast(choices.int(in: 0...body.count, edges: true))
      }
      choices.note("\(body)")
      let ours = try? MessageFields(body: 0..<body.count, of: body.span.bytes)
      let theirs = try? WireMessagePublished(serializedBytes: body)
      guard let ours else {
        choices.label("refused")
        // Stricter than swift-protobuf: a field of the schema with another type's bytes, and groups, are not skipped.
        return try hold(isDamaged, "refused")
      }
      choices.label("read")
      let message = try theirs ?? { throw Refused() }()
      try hold(String(decoding: body[ours.id], as: UTF8.self), equals: message.id)
      try hold(String(decoding: body[ours.contentType], as: UTF8.self), equals: message.contentType)
      try hold(Data(body[ours.data]), equals: message.data)
      try hold(ours.expiresAt, equals: message.expiresAtMs)
    }
  }

  private struct Refused: Error {}

  /// Mostly the four fields in their order; some twice, some unknown, and some numbers longer than need be.
  private static func body(_ choices: inout Choices) -> [UInt8] {
    var body: [UInt8] = []
    let isPlain = choices.bool()
    if isPlain {
      for number in 1...3 where choices.bool() {
        let count = choices.int(in: 0...17_000, edges: true)
        append(field: number, [UInt8](repeating: 120, count: count), to: &body, padding: 0)
      }
      if choices.bool() { body += [32] + varint(choices.full(), padding: 0) }
    } else {
      choices.label("other form")
      for _ in 0..<choices.int(in: 0...6) {
        let padding = choices.oneIn(4) ? choices.int(in: 1...8) : 0
        let number = choices.int(in: 1...6)
        if number == 4 || number == 6 {
          body += varint(UInt64(number << 3), padding: 0) + varint(choices.full(), padding: padding)
        } else {
          let content = choices.text(of: "aß🚆 ", atMost: 20).utf8
          append(field: number, Array(content), to: &body, padding: padding)
        }
      }
    }
    return body
  }

  private static func append(
    field number: Int, _ content: [UInt8], to body: inout [UInt8], padding: Int
  ) {
    body += varint(UInt64(number << 3 | 2), padding: 0)
    body += varint(UInt64(content.count), padding: padding) + content
  }

  private static func varint(_ value: UInt64, padding: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
    guard padding > 0, bytes.count + padding <= 10 else { return bytes }
    bytes[bytes.count - 1] |= 0x80
    return bytes + [UInt8](repeating: 0x80, count: padding - 1) + [0]
  }
}
