/// The hash of a key in the table of channels: fast, the same everywhere, and never seen from outside.
enum EntryHash {
  @inline(__always)
  static func of(_ range: Range<Int>, in bytes: UnsafeRawPointer) -> UInt32 {
    var hash: UInt64 = 0x9e37_79b9_7f4a_7c15 ^ UInt64(range.count)
    var position = range.lowerBound
    while position &+ 8 <= range.upperBound {
      mix(&hash, bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
      position &+= 8
    }
    if position &+ 4 <= range.upperBound {
      mix(&hash, UInt64(bytes.loadUnaligned(fromByteOffset: position, as: UInt32.self)))
      position &+= 4
    }
    var rest: UInt64 = 0
    while position < range.upperBound {
      rest = rest &<< 8 | UInt64(bytes.load(fromByteOffset: position, as: UInt8.self))
      position &+= 1
    }
    mix(&hash, rest)
    return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
  }

  @inline(__always)
  private static func mix(_ hash: inout UInt64, _ word: UInt64) {
    let product = (hash ^ word).multipliedFullWidth(by: 0xa076_1d64_78bd_642f)
    hash = product.low ^ product.high
  }
}
