import Foundation
import Gateway
import PropertyTesting

/// JSON that clients send, and JSON that we write: a published body is passed on as it is, so what we call JSON must be JSON to others.
enum JSONText {
  @Sendable static func test(_ bytes: [UInt8]) throws {
    try checkAccepted(bytes)
    try checkWritten(bytes)
  }

  private static func checkAccepted(_ bytes: [UInt8]) throws {
    var failure: JSONFailure?
    do throws(JSONFailure) {
      try JSONSyntax.check(bytes[...])
    } catch {
      failure = error
    }
    if let failure { try hold(0...bytes.count ~= failure.offset, "a place outside the text") }
    // Foundation also reads other encodings, which it tells by zero bytes and marks, and does not read every number and surrogate.
    let isOdd = bytes.contains { $0 == 0 || $0 > 0x7f } || bytes.contains(UInt8(ascii: "\\"))
    let hasExponent = bytes.contains { $0 | 0x20 == UInt8(ascii: "e") }
    guard !isOdd else { return }
    let isRead =
      (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
    if isRead {
      let isKnown = isDeep(bytes) || hasLooseComma(bytes)
      try hold(failure == nil || isKnown, "refused what Foundation reads: \(bytes)")
    } else if !hasExponent {
      try hold(failure != nil, "accepted what Foundation refuses: \(bytes)")
    }
  }

  private static func isDeep(_ bytes: [UInt8]) -> Bool {
    bytes.count { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") } > JSONSyntax.depthMax
  }

  /// Foundation takes a comma before the end of an array or object.
  private static func hasLooseComma(_ bytes: [UInt8]) -> Bool {
    var previous: UInt8?
    for byte in bytes where ![0x20, 0x0a, 0x0d, 0x09].contains(byte) {
      let isEnd = byte == UInt8(ascii: "]") || byte == UInt8(ascii: "}")
      if previous == UInt8(ascii: ","), isEnd { return true }
      previous = byte
    }
    return false
  }

  /// A text comes back from what is written of it.
  private static func checkWritten(_ bytes: [UInt8]) throws {
    guard let text = String(validating: bytes, as: UTF8.self) else { return }
    var json: [UInt8] = []
    JSONWriter.append(utf8: text.utf8, to: &json)
    try JSONSyntax.check(json[...])
    let read = try JSONSerialization.jsonObject(with: Data(json), options: .fragmentsAllowed)
    try hold((read as? String).map { Array($0.utf8) }, equals: Array(text.utf8))
  }
}
