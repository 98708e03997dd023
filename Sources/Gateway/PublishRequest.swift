import EventStorage
package import Events
package import HTTPTypes

/// What the headers of a publish say.
package struct PublishRequest: Equatable, Sendable {
  /// Nil: the message's id is its key.
  package var key: MessageKey?
  /// What makes a repeated publish the same one.
  package var idempotencyKey: String?
  /// Seconds; nil for a message that never expires.
  package var lifetimeSeconds: Int64?
  /// As it came; empty when there was none.
  package var contentType: String

  /// Bytes of a content type.
  package static let contentTypeBytesMax = 255

  /// Reads the headers of a POST.
  package static func read(
    _ headers: HTTPFields, limits: GatewayLimits
  ) throws(Problem) -> PublishRequest {
    PublishRequest(
      key: try key(headers), idempotencyKey: try idempotencyKey(headers),
      lifetimeSeconds: try lifetime(headers, limits: limits), contentType: try contentType(headers))
  }

  /// The id that every attempt gets; nil without an idempotency key.
  func stableID(in channel: ChannelName) -> String? {
    guard let idempotencyKey else { return nil }
    guard let key else { return MessageID.stable(channel.text, idempotencyKey) }
    return MessageID.stable(channel.text, idempotencyKey, "publish", key.text)
  }

  static func idempotencyKey(_ headers: HTTPFields) throws(Problem) -> String? {
    guard let text = headers[.idempotencyKey] else { return nil }
    if text.isEmpty { throw .headerEmpty("Idempotency-Key") }
    let limit = LogLimits.idempotencyKeyBytesMax
    if text.utf8.count > limit {
      throw .headerTooLong("Idempotency-Key", bytes: text.utf8.count, limit: limit)
    }
    return try checked(text, "Idempotency-Key")
  }

  private static func key(_ headers: HTTPFields) throws(Problem) -> MessageKey? {
    guard let text = headers[.signalboxKey] else { return nil }
    let checked = try checked(text, "Signalbox-Key")
    do { return try MessageKey(checked) } catch { throw .name("Signalbox-Key", error) }
  }

  private static func lifetime(
    _ headers: HTTPFields, limits: GatewayLimits
  ) throws(Problem) -> Int64? {
    guard let text = headers[.signalboxTTL] else { return nil }
    guard text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
      let seconds = Int64(text), 1...limits.ttlSecondsMax ~= seconds
    else { throw .timeToLive(text, limit: limits.ttlSecondsMax) }
    return seconds
  }

  private static func contentType(_ headers: HTTPFields) throws(Problem) -> String {
    let text = headers[.contentType] ?? ""
    let limit = contentTypeBytesMax
    if text.utf8.count > limit {
      throw .headerTooLong("Content-Type", bytes: text.utf8.count, limit: limit)
    }
    return try checked(text, "Content-Type")
  }

  /// Bytes that are not UTF-8 arrive as replacement characters.
  private static func checked(_ text: String, _ name: String) throws(Problem) -> String {
    if text.unicodeScalars.contains("\u{fffd}") { throw .notUTF8(name) }
    return text
  }
}

extension HTTPField.Name {
  static let signalboxKey = known("Signalbox-Key")
  static let signalboxTTL = known("Signalbox-TTL")
  static let idempotencyKey = known("Idempotency-Key")
  package static let lastEventID = known("Last-Event-ID")

  private static func known(_ name: String) -> HTTPField.Name {
    guard let field = HTTPField.Name(name) else {
      preconditionFailure("\(name) is not the name of a header")
    }
    return field
  }
}
