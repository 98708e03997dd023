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
  ///
  /// One and two bytes are read in line: nearly all there are. `end` lies within the span, so their loads are not checked again.
  @inline(__always)
  func zigzag(at index: inout Int, end: Int) -> Int64? {
    guard index < end else { return nil }
    let first = unsafe Int64(unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self))
    if first < 0x80 {
      index &+= 1
      return first &>> 1 ^ -(first & 1)
    }
    guard index &+ 1 < end else { return nil }
    let second = unsafe Int64(unsafeLoad(fromUncheckedByteOffset: index &+ 1, as: UInt8.self))
    if second < 0x80 {
      index &+= 2
      let value = first & 0x7F | second &<< 7
      return value &>> 1 ^ -(value & 1)
    }
    guard let (value, next) = longZigzag(at: index, end: end) else { return nil }
    index = next
    return value
  }

  /// Takes and gives places by value, so that the caller's stays in a register.
  @inline(never)
  private func longZigzag(at start: Int, end: Int) -> (Int64, next: Int)? {
    var index = start
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while index < end {
      let next = byte(at: index)
      index += 1
      // The tenth byte may only add the top bit.
      if shift == 63 && next > 1 { return nil }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return (Int64(bitPattern: value >> 1) ^ -Int64(value & 1), index) }
      shift += 7
      if shift > 63 { return nil }
    }
    return nil
  }
}
