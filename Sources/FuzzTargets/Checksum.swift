/// CRC-32C, written once more: whoever makes checksums right to get behind them should not take them from what is tested.
enum Checksum {
  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { value, _ in
      value & 1 == 1 ? value >> 1 ^ 0x82f6_3b78 : value >> 1
    }
  }

  static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { $0 >> 8 ^ table[Int(UInt8(truncatingIfNeeded: $0) ^ $1)] }
  }
}

extension [UInt8] {
  func bigEndian<Number: FixedWidthInteger>(_: Number.Type, at index: Int) -> Number {
    self[index..<index + Number.bitWidth / 8].reduce(0) { $0 << 8 | Number($1) }
  }

  mutating func put(bigEndian value: some FixedWidthInteger, at index: Int) {
    Swift.withUnsafeBytes(of: value.bigEndian) {
      replaceSubrange(index..<index + $0.count, with: $0)
    }
  }

  mutating func append(littleEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
