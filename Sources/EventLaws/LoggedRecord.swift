public import EventStorage

/// A record of a log, owned: key, value, and its place.
public struct LoggedRecord: Hashable, Sendable {
  /// Its place in the partition.
  public var offset: Offset
  /// Milliseconds since 1970, as the log stamped it.
  public var timestamp: Int64
  /// The canonical key bytes.
  public var key: [UInt8]
  /// The event, or nil for a tombstone. Empty is not nil.
  public var value: [UInt8]?

  /// A record with a place.
  public init(_ record: NewRecord, offset: Offset, timestamp: Int64) {
    key = record.key
    value = record.value
    self.offset = offset
    self.timestamp = timestamp
  }

  /// The position behind it.
  public var next: Offset { Offset(offset.rawValue + 1) }
  /// The record without its place.
  public var record: NewRecord { NewRecord(key: key, value: value) }
}

extension LoggedRecord: CustomStringConvertible {
  /// `7 at 12: a\0k = 0a 02`.
  public var description: String { "\(offset) at \(timestamp): \(readable(record))" }
}

/// Key and value for a reader of failures: letters where the bytes are letters.
func readable(_ record: NewRecord) -> String {
  "\(readable(record.key)) " + (record.value.map { "= \(readable($0))" } ?? "deleted")
}

private func readable(_ bytes: [UInt8]) -> String {
  if bytes.isEmpty { return "nothing" }
  let letters = bytes.count { 0x20...0x7e ~= $0 }
  guard letters * 4 >= bytes.count * 3 else {
    return bytes.prefix(24).map(hexadecimal).joined(separator: " ")
      + (bytes.count > 24 ? " … \(bytes.count) bytes" : "")
  }
  return bytes.prefix(80).map { byte in
    0x20...0x7e ~= byte ? String(UnicodeScalar(byte)) : byte == 0 ? "\\0" : "\\" + hexadecimal(byte)
  }.joined() + (bytes.count > 80 ? "… \(bytes.count) bytes" : "")
}

func hexadecimal(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16)
  return digits.count == 1 ? "0" + digits : digits
}
