/// A client message: what `MessagePublished` carries, owned.
public struct Message: Equatable, Sendable {
  /// Unique for ever; the record's key when the publisher gave none.
  public var id: String
  /// Media type of the payload; empty means `application/octet-stream`.
  public var contentType: String
  /// The payload as it came.
  public var data: [UInt8]
  /// Milliseconds since 1970; 0 never expires.
  public var expiresAt: Int64

  /// A message as its publisher means it.
  public init(id: String, contentType: String, data: [UInt8], expiresAt: Int64 = 0) {
    self.id = id
    self.contentType = contentType
    self.data = data
    self.expiresAt = expiresAt
  }

  /// The record value: an `Event` whose body is this message, byte for byte what swift-protobuf writes.
  public var encoded: [UInt8] {
    let bodyLength =
      WireWriter.fieldLength(id.utf8.count) + WireWriter.fieldLength(contentType.utf8.count)
      + WireWriter.fieldLength(data.count)
      + (expiresAt == 0 ? 0 : 1 + WireWriter.varintLength(UInt64(bitPattern: expiresAt)))
    var writer = WireWriter()
    writer.bytes.reserveCapacity(bodyLength + 6)
    writer.varint(UInt64(EventType.messagePublished.rawValue) << 3 | 2)
    writer.varint(UInt64(bodyLength))
    writer.field(1, id.utf8)
    writer.field(2, contentType.utf8)
    writer.field(3, data)
    writer.field(4, UInt64(bitPattern: expiresAt))
    return writer.bytes
  }
}
