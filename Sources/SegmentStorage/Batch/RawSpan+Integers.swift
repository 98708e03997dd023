extension RawSpan {
  /// The byte at `index`; traps outside, so callers check first.
  @inline(__always)
  func byte(at index: Int) -> UInt8 {
    unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self)
  }

  @inline(__always)
  func bigEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at index: Int) -> T {
    T(bigEndian: unsafe unsafeLoadUnaligned(fromByteOffset: index, as: T.self))
  }

  @inline(__always)
  func littleEndian<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type, at index: Int) -> T {
    T(littleEndian: unsafe unsafeLoadUnaligned(fromByteOffset: index, as: T.self))
  }

  /// A zigzag varint at `index`, which moves behind it. Nil when it runs over `end` or over 64 bits.
  @inline(__always)
  func zigzag(at index: inout Int, end: Int) -> Int64? {
    guard index < end else { return nil }
    let first = byte(at: index)
    index += 1
    if first < 0x80 { return Int64(first >> 1) ^ -Int64(first & 1) }
    return longZigzag(first, at: &index, end: end)
  }

  @inline(never)
  private func longZigzag(_ first: UInt8, at index: inout Int, end: Int) -> Int64? {
    var value = UInt64(first & 0x7F)
    var shift: UInt64 = 7
    while index < end {
      let next = byte(at: index)
      index += 1
      // The tenth byte may only add the top bit.
      if shift == 63 && next > 1 { return nil }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return Int64(bitPattern: value >> 1) ^ -Int64(value & 1) }
      shift += 7
      if shift > 63 { return nil }
    }
    return nil
  }
}
