/// Why bytes are not the event they should be. The record is poison: kept, counted, skipped (law 10).
public enum DecodeFailure: Error, Equatable, Sendable {
  /// The bytes end inside a field.
  case truncated
  /// A varint longer than ten bytes, a field number of zero, or a wire type that proto3 does not have.
  case malformed
  /// Text that is not UTF-8.
  case notText
}

/// A field of a protobuf message: its number, its wire type and where its content lies.
///
/// Ranges are byte offsets into the span that was read, never pointers, so a field may be kept.
public struct WireField: Sendable {
  /// The number that the schema gives the field.
  public var number: UInt32
  /// 0 varint, 1 eight bytes, 2 bytes with a length, 5 four bytes.
  public var wireType: UInt8
  /// The value of a varint or of a fixed number; the length of bytes.
  public var number64: UInt64
  /// Where the content of a field with a length begins.
  public var lower: Int
  /// Where the content of a field with a length ends.
  public var upper: Int

  /// The content of a field with a length.
  public var range: Range<Int> { lower..<upper }
}

/// Reads a protobuf message field by field, in place: nothing is copied, nothing is allocated.
public struct WireReader {
  /// The next byte to read.
  public private(set) var position: Int
  private let end: Int

  /// Reads the bytes of `range` of the span that is passed to `next`.
  public init(_ range: Range<Int>) {
    position = range.lowerBound
    end = range.upperBound
  }

  /// The next field, or nil at the end.
  public mutating func next(in bytes: RawSpan) throws(DecodeFailure) -> WireField? {
    if position == end { return nil }
    let tag = try varint(in: bytes)
    guard tag >> 3 != 0, tag >> 3 <= 536_870_911 else { throw .malformed }
    var field = WireField(
      number: UInt32(tag >> 3), wireType: UInt8(tag & 7), number64: 0, lower: position,
      upper: position)
    switch field.wireType {
    case 0:
      field.number64 = try varint(in: bytes)
    case 2:
      let length = try varint(in: bytes)
      guard length <= UInt64(end - position) else { throw .truncated }
      field.number64 = length
      field.lower = position
      position += Int(length)
      field.upper = position
    case 1:
      field.number64 = try fixed(8, in: bytes)
    case 5:
      field.number64 = try fixed(4, in: bytes)
    default:
      throw .malformed
    }
    return field
  }

  private mutating func varint(in bytes: RawSpan) throws(DecodeFailure) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
      position += 1
      if shift == 63, byte > 1 { throw .malformed }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
      shift += 7
      if shift > 63 { throw .malformed }
    }
    throw .truncated
  }

  private mutating func fixed(_ count: Int, in bytes: RawSpan) throws(DecodeFailure) -> UInt64 {
    guard end - position >= count else { throw .truncated }
    var value: UInt64 = 0
    for index in 0..<count {
      let byte = bytes.unsafeLoad(fromByteOffset: position + index, as: UInt8.self)
      value |= UInt64(byte) << UInt64(8 * index)
    }
    position += count
    return value
  }
}
