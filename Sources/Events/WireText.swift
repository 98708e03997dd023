/// Whether bytes are text, as proto3 demands of a `string`.
enum WireText {
  private static let highBits: UInt64 = 0x8080_8080_8080_8080

  /// Throws `notText` when the bytes of `range` are not UTF-8. ASCII is seen eight bytes at a time.
  @inline(__always)
  static func check(_ range: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    var seen: UInt64 = 0
    var position = range.lowerBound
    if range.count >= 8 {
      while position &+ 8 < range.upperBound {
        seen |= bytes.unsafeLoadUnaligned(fromByteOffset: position, as: UInt64.self)
        position &+= 8
      }
      // The last eight bytes, some of them a second time.
      seen |= bytes.unsafeLoadUnaligned(fromByteOffset: range.upperBound - 8, as: UInt64.self)
    } else {
      while position < range.upperBound {
        seen |= UInt64(bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self))
        position &+= 1
      }
    }
    if seen & highBits != 0 { try checkAll(range, of: bytes) }
  }

  @inline(never)
  private static func checkAll(_ range: Range<Int>, of bytes: RawSpan) throws(DecodeFailure) {
    let isText = bytes.withUnsafeBytes { String(validating: $0[range], as: UTF8.self) != nil }
    guard isText else { throw .notText }
  }
}
