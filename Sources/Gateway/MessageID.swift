import Events

/// Ids of messages: 26 characters of Crockford's base 32, 128 bits.
enum MessageID {
  /// A new one: 48 bits of time, then 80 random ones, so that ids of different moments sort by time (as ULIDs do).
  static func make(at milliseconds: Int64) -> String {
    text(
      high: UInt64(bitPattern: milliseconds) << 16 | .random(in: 0..<65_536),
      low: .random(in: 0...UInt64.max))
  }

  /// The id that every attempt with this idempotency key gets in this channel.
  static func stable(channel: ChannelName, idempotencyKey: String) -> String {
    let bytes = Array(channel.text.utf8) + [0] + Array(idempotencyKey.utf8)
    return text(
      high: StableHash.of([UInt8(ascii: "i")] + bytes),
      low: StableHash.of(bytes + [UInt8(ascii: "k")]))
  }

  private static func text(high: UInt64, low: UInt64) -> String {
    String(unsafeUninitializedCapacity: 26) { characters in
      var high = high
      var low = low
      for index in stride(from: 25, through: 0, by: -1) {
        characters[index] = alphabet[Int(low & 31)]
        low = low >> 5 | high << 59
        high >>= 5
      }
      return 26
    }
  }

  private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}
