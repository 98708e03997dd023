extension [UInt8] {
  /// Appends a number, the lowest byte first.
  mutating func append(littleEndian value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }

  /// Appends a text behind its length.
  mutating func append(text: ArraySlice<UInt8>) {
    append(littleEndian: UInt32(text.count))
    append(contentsOf: text)
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

  mutating func text(in bytes: RawSpan) throws(SnapshotFailure) -> [UInt8] {
    let range = try range(Int(try next(UInt32.self, in: bytes)))
    return bytes.extracting(range).withUnsafeBytes { Array($0) }
  }

  /// A key of a table, which are written in the order of their bytes.
  mutating func key(after last: [UInt8]?, in bytes: RawSpan) throws(SnapshotFailure) -> [UInt8] {
    let key = try text(in: bytes)
    if let last, !last.lexicographicallyPrecedes(key) {
      throw .damaged("the keys are out of order")
    }
    return key
  }
}
