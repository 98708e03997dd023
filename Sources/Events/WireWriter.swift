/// Appends protobuf fields to bytes. Fields with their default value are left out, as proto3 does.
package struct WireWriter {
  package var bytes: [UInt8] = []

  package init() {}

  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  package mutating func field(_ number: UInt64, _ value: UInt64) {
    guard value != 0 else { return }
    varint(number << 3)
    varint(value)
  }

  package mutating func field(_ number: UInt64, _ content: some Collection<UInt8>) {
    guard !content.isEmpty else { return }
    varint(number << 3 | 2)
    varint(UInt64(content.count))
    bytes.append(contentsOf: content)
  }

  static func varintLength(_ value: UInt64) -> Int {
    (max(1, 64 - value.leadingZeroBitCount) + 6) / 7
  }

  static func fieldLength(_ count: Int) -> Int {
    count == 0 ? 0 : 1 + varintLength(UInt64(count)) + count
  }
}
