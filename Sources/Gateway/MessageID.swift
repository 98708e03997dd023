import Events

/// Ids of messages: 26 characters that sort by time, as ULIDs do.
enum MessageID {
  private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

  /// A new one: 48 bits of time, 80 random ones.
  static func make(at milliseconds: Int64) -> String {
    text(UInt128(truncatingIfNeeded: milliseconds) << 80 | UInt128.random(in: 0..<1 << 80))
  }

  /// The one that belongs to an idempotency key of a channel.
  static func make(of channel: String, idempotencyKey: String) -> String {
    let bytes = Array(channel.utf8) + [0] + Array(idempotencyKey.utf8)
    let high = UInt128(StableHash.of(bytes))
    return text(high << 64 | UInt128(StableHash.of(bytes + [1])))
  }

  private static func text(_ bits: UInt128) -> String {
    String(
      decoding: (0..<26).map { alphabet[Int(truncatingIfNeeded: bits >> (5 * (25 - $0))) & 31] },
      as: UTF8.self)
  }
}
