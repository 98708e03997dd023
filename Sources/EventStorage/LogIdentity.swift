/// Which log this is: random, made with the log, never changed. A position means something in one log only.
public struct LogIdentity: Hashable, Sendable, CustomStringConvertible {
  /// 64 random bits.
  public let rawValue: UInt64

  /// The identity with these bits.
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// 16 hexadecimal digits.
  public var description: String {
    let digits = String(rawValue, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }

  /// Reads what `description` writes.
  public init?(_ text: String) {
    guard text.utf8.count == 16, let value = UInt64(text, radix: 16) else { return nil }
    rawValue = value
  }
}
