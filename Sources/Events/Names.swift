/// Why a name was refused.
public enum NameFailure: Error, Equatable, Sendable {
  /// It has no bytes.
  case empty
  /// It has more UTF-8 bytes than allowed.
  case tooLong(bytes: Int, limit: Int)
  /// It holds a control character (U+0000 to U+001F, U+007F to U+009F).
  case controlCharacter
  /// It is not UTF-8.
  case notText
}

/// The name of a channel: 1 to 255 bytes of UTF-8 without control characters.
public struct ChannelName: Hashable, Sendable {
  /// The longest name, in UTF-8 bytes.
  public static let bytesMax = 255

  /// The name itself.
  public let text: String

  /// Accepts a name or says what is wrong with it.
  public init(_ text: String) throws(NameFailure) {
    try checkName(text, limit: ChannelName.bytesMax)
    self.text = text
  }
}

/// The key of a message within its channel: 1 to 512 bytes of UTF-8 without control characters.
public struct MessageKey: Hashable, Sendable {
  /// The longest key, in UTF-8 bytes.
  public static let bytesMax = 512

  /// The key itself.
  public let text: String

  /// Accepts a key or says what is wrong with it.
  public init(_ text: String) throws(NameFailure) {
    try checkName(text, limit: MessageKey.bytesMax)
    self.text = text
  }
}

/// The name of a service node: 1 to 255 bytes of UTF-8 without control characters.
public struct NodeID: Hashable, Sendable {
  /// The longest name, in UTF-8 bytes.
  public static let bytesMax = 255

  /// The name itself.
  public let text: String

  /// Accepts a name or says what is wrong with it.
  public init(_ text: String) throws(NameFailure) {
    try checkName(text, limit: NodeID.bytesMax)
    self.text = text
  }
}

private func checkName(_ text: String, limit: Int) throws(NameFailure) {
  let bytes = text.utf8.count
  if bytes == 0 { throw .empty }
  if bytes > limit { throw .tooLong(bytes: bytes, limit: limit) }
  for scalar in text.unicodeScalars where scalar.value < 0x20 || 0x7f...0x9f ~= scalar.value {
    throw .controlCharacter
  }
}
