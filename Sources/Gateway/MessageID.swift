import Events

/// Ids of messages: 26 characters of Crockford's base 32, 128 bits.
enum MessageID {
  /// A new one: 48 bits of time, then 80 random ones, so that ids of different moments sort by time (as ULIDs do).
  static func make(at milliseconds: Int64) -> String {
    text(
      high: UInt64(bitPattern: milliseconds) << 16 | .random(in: 0..<65_536),
      low: .random(in: 0...UInt64.max))
  }

  /// The id that every attempt at one request gets: what its idempotency key is worth. Another key or operation under the same
  /// idempotency key is another request, and must not be answered with what it did not do.
  ///
  /// - Parameter parts: what makes the request this one. None of them holds a zero, so that no two lists are the same bytes.
  static func stable(_ parts: String...) -> String {
    let bytes = Array(parts.map { Array($0.utf8) }.joined(separator: [0]))
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
