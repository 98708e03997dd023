/// Appends JSON to bytes. The hot paths write their few objects by hand: no encoder, no Foundation.
package enum JSONWriter {
  /// A string with its quotes; what JSON forbids inside is escaped.
  static func append(_ text: String, to bytes: inout [UInt8]) {
    append(utf8: text.utf8, to: &bytes)
  }

  /// A string from bytes that are UTF-8.
  package static func append(utf8: some Collection<UInt8>, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for byte in utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case UInt8(ascii: "\n"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
      case UInt8(ascii: "\r"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
      case UInt8(ascii: "\t"): bytes += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
      case 0..<0x20:
        bytes += "\\u00".utf8
        bytes.append(digits[Int(byte >> 4)])
        bytes.append(digits[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// `,"name":`, or without the comma for the first.
  static func name(_ name: StaticString, first: Bool = false, to bytes: inout [UInt8]) {
    if !first { bytes.append(UInt8(ascii: ",")) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(literal: name)
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
  }

  private static let digits = Array("0123456789abcdef".utf8)
}

extension [UInt8] {
  /// The bytes of a literal, without making a string of it.
  mutating func append(literal: StaticString) {
    append(
      contentsOf: UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount))
  }

  /// The decimal digits of a number.
  mutating func append(decimal number: Int64) {
    append(contentsOf: String(number).utf8)
  }

  /// Base64 with padding (RFC 4648, section 4).
  mutating func append(base64 content: some Collection<UInt8>) {
    reserveCapacity(count + (content.count + 2) / 3 * 4)
    var pending: UInt32 = 0
    var bits: UInt32 = 0
    for byte in content {
      pending = pending << 8 | UInt32(byte)
      bits += 8
      while bits >= 6 {
        bits -= 6
        append(base64Alphabet[Int(pending >> bits) & 63])
      }
    }
    if bits > 0 { append(base64Alphabet[Int(pending << (6 - bits)) & 63]) }
    for _ in 0..<((3 - content.count % 3) % 3) { append(UInt8(ascii: "=")) }
  }
}

private let base64Alphabet = Array(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
