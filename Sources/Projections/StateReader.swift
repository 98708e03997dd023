extension [UInt8] {
  /// Appends a number, the lowest byte first.
  mutating func append(littleEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}

/// Reads canonical encodings. Bytes can be anything, so everything is checked.
struct StateReader {
  private var position = 0
  private let end: Int

  init(_ byteCount: Int) { end = byteCount }

  var isAtEnd: Bool { position == end }

  mutating func next<Number: FixedWidthInteger & BitwiseCopyable>(
    _ type: Number.Type, in bytes: RawSpan
  ) throws(SnapshotFailure) -> Number {
    let range = try range(MemoryLayout<Number>.size)
    return Number(
      littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: range.lowerBound, as: type))
  }

  mutating func range(_ count: Int) throws(SnapshotFailure) -> Range<Int> {
    guard count <= end - position else { throw .damaged("the state is cut short") }
    defer { position += count }
    return position..<position + count
  }
}
