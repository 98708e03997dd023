import EventStorage
import PropertyTesting

/// The text of a position, which comes back from clients: what is accepted is written again as a text that means the same place.
enum ResumeToken {
  @Sendable static func test(_ bytes: [UInt8]) throws {
    try check(String(decoding: bytes, as: UTF8.self))
    // Few texts are base64url, so the bytes are also what such a text says.
    try check(Base64URL.encode(bytes))
  }

  private static func check(_ text: String) throws {
    guard let position = try? Position(token: text) else { return }
    let canonical = position.token
    try hold(canonical.utf8.count <= text.utf8.count, "the canonical text is longer")
    try hold(try Position(token: canonical), equals: position)
    try hold(try Position(token: canonical).token, equals: canonical)
  }
}
