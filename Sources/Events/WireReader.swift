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
  ///
  /// Inlined, with the long cases out of line and given everything by value, so that the place stays in a register.
  @inline(__always)
  public mutating func next(in bytes: RawSpan) throws(DecodeFailure) -> WireField? {
    if position >= end { return nil }
    let (tag, start) = try WireReader.varint(at: position, end, in: bytes)
    // A tag is a number of 32 bits, in at most five bytes.
    guard tag >> 3 != 0, tag >> 3 <= 536_870_911, start &- position <= 5 else { throw .malformed }
    var field = WireField(
      number: UInt32(truncatingIfNeeded: tag >> 3), wireType: UInt8(truncatingIfNeeded: tag & 7),
      number64: 0, lower: start, upper: start)
    switch field.wireType {
    case 2:
      let (length, lower) = try WireReader.varint(at: start, end, in: bytes)
      guard length <= UInt64(bitPattern: Int64(end &- lower)) else { throw .truncated }
      field.number64 = length
      field.lower = lower
      field.upper = lower &+ Int(truncatingIfNeeded: length)
      position = field.upper
    case 0: (field.number64, position) = try WireReader.varint(at: start, end, in: bytes)
    case 1: (field.number64, position) = try WireReader.fixed(8, at: start, end, in: bytes)
    case 5: (field.number64, position) = try WireReader.fixed(4, at: start, end, in: bytes)
    default: throw .malformed
    }
    return field
  }

  /// Reads a length of one or two bytes that is no more than what is left before `end`, and moves `position` behind it: what is nearly
  /// always there. Nil, and `position` anywhere, when it is anything else, good or bad.
  ///
  /// The loads are unchecked: their offsets are below `end`, which the caller has found to lie within the bytes.
  @inline(__always)
  static func plainLength(at position: inout Int, _ end: Int, in bytes: RawSpan) -> Int? {
    guard position < end else { return nil }
    var length = Int(bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self))
    position &+= 1
    if length >= 0x80 {
      guard position < end else { return nil }
      let high = Int(bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self))
      guard high < 0x80 else { return nil }
      length = length & 0x7f | high &<< 7
      position &+= 1
    }
    return length <= end &- position ? length : nil
  }

  /// Nearly all tags and most lengths are one byte.
  @inline(__always)
  private static func varint(
    at position: Int, _ end: Int, in bytes: RawSpan
  ) throws(DecodeFailure) -> (value: UInt64, next: Int) {
    guard position < end else { throw .truncated }
    let byte = bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
    return byte < 0x80
      ? (UInt64(byte), position &+ 1) : try longVarint(at: position, end, in: bytes)
  }

  @inline(never)
  private static func longVarint(
    at start: Int, _ end: Int, in bytes: RawSpan
  ) throws(DecodeFailure) -> (value: UInt64, next: Int) {
    var position = start
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while position < end {
      let byte = bytes.unsafeLoad(fromByteOffset: position, as: UInt8.self)
      position += 1
      if shift == 63, byte > 1 { throw .malformed }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return (value, position) }
      shift += 7
      if shift > 63 { throw .malformed }
    }
    throw .truncated
  }

  @inline(never)
  private static func fixed(
    _ count: Int, at position: Int, _ end: Int, in bytes: RawSpan
  ) throws(DecodeFailure) -> (value: UInt64, next: Int) {
    guard end - position >= count else { throw .truncated }
    var value: UInt64 = 0
    for index in 0..<count {
      let byte = bytes.unsafeLoad(fromByteOffset: position + index, as: UInt8.self)
      value |= UInt64(byte) << UInt64(8 * index)
    }
    return (value, position + count)
  }
}
