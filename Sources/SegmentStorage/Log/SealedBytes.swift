/// Small files of ours: a magic word, a version, fields, and a CRC-32C of all that.
func checkedBody(of file: [UInt8], magic: [UInt8], version: UInt32) -> ArraySlice<UInt8>? {
  guard file.count >= magic.count + 8, Array(file.prefix(magic.count)) == magic else { return nil }
  var fields = FieldReader(file[magic.count...])
  guard fields.next(UInt32.self) == version else { return nil }
  var tail = FieldReader(file.suffix(4))
  guard unsafe tail.next(UInt32.self) == CRC32C.of(Array(file.dropLast(4)).span.bytes) else {
    return nil
  }
  return file[(magic.count + 4)..<(file.count - 4)]
}

/// Little-endian fields, front to back. Nil once there are no more.
struct FieldReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  var remaining: Int { rest.count }

  mutating func next<T: FixedWidthInteger>(_ type: T.Type) -> T? {
    let size = MemoryLayout<T>.size
    guard rest.count >= size else { return nil }
    var value: T = 0
    for (index, byte) in rest.prefix(size).enumerated() {
      value |= T(truncatingIfNeeded: byte) << T(truncatingIfNeeded: 8 * index)
    }
    rest = rest.dropFirst(size)
    return value
  }

  mutating func next(bytes count: Int) -> [UInt8]? {
    guard count >= 0, rest.count >= count else { return nil }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }
}

extension ByteStore {
  /// What was written, and its CRC-32C behind it.
  consuming func sealed() -> [UInt8] {
    append(littleEndian: withBytes { CRC32C.of($0) })
    return withBytes { bytes in
      unsafe bytes.withUnsafeBytes { unsafe Array($0) }
    }
  }
}
