/// A hash of everything that happened, in order. The same on any machine, debug and release (law 32).
package struct TraceHash: Hashable, Sendable, CustomStringConvertible {
  package private(set) var value: UInt64 = 0x5369_676e_616c_626f

  mutating func add(_ number: UInt64) {
    value = (value ^ number) &* 0x9e37_79b9_7f4a_7c15
    value ^= value >> 29
  }

  mutating func add(_ number: Int64) { add(UInt64(bitPattern: number)) }
  mutating func add(_ number: Int) { add(UInt64(bitPattern: Int64(number))) }

  /// 16 hexadecimal digits.
  package var description: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// A hash of bytes that does not change from process to process, eight at a time.
func contentHash(_ bytes: RawSpan, seed: UInt64 = 0) -> UInt64 {
  var hash = TraceHash()
  hash.add(seed)
  hash.add(bytes.byteCount)
  var index = 0
  while index + 8 <= bytes.byteCount {
    hash.add(
      UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)))
    index += 8
  }
  var rest: UInt64 = 0
  while index < bytes.byteCount {
    rest = rest << 8 | UInt64(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
    index += 1
  }
  hash.add(rest)
  return hash.value
}

func contentHash(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
  contentHash(bytes.span.bytes, seed: seed)
}
