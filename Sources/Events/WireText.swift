/// Whether bytes are text, as proto3 demands of a `string`.
enum WireText {
  private static let highBits: UInt64 = 0x8080_8080_8080_8080

  /// Throws `notText` when the bytes of `range` are not UTF-8. ASCII is seen eight bytes at a time.
  @inline(__always)
  static func check(_ range: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    var position = range.lowerBound
    while position + 8 <= range.upperBound {
      let word = bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
      if word & highBits != 0 { return try checkAll(range, of: bytes) }
      position += 8
    }
    while position < range.upperBound {
      if bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self) >= 0x80 {
        return try checkAll(range, of: bytes)
      }
      position += 1
    }
  }

  @inline(never)
  private static func checkAll(_ range: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    let isText = bytes.withUnsafeBytes { String(validating: $0[range], as: UTF8.self) != nil }
    guard isText else { throw .notText }
  }
}
