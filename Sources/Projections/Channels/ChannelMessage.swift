public import EventStorage
public import Events

/// A message as a channel holds it.
public struct ChannelMessage: Equatable, Sendable {
  /// Its key: the publisher's, or the message's own id.
  public var key: String
  /// What was published.
  public var message: Message
  /// When it was appended, in milliseconds since 1970.
  public var time: Int64
  /// Its record.
  public var offset: Offset

  init(_ entry: Entry) {
    key = String(decoding: entry.key[(entry.separator + 1)...], as: UTF8.self)
    time = entry.timestamp
    offset = Offset(entry.offset)
    let body = entry.body
    let bytes = RawSpan(_unsafeBytes: body)
    // Only bodies that could be read get into the table.
    let fields = try? MessageFields(body: 0..<body.count, of: bytes)
    message = Message(id: "", contentType: "", data: [])
    if let fields {
      message = Message(
        id: String(decoding: body[fields.id], as: UTF8.self),
        contentType: String(decoding: body[fields.contentType], as: UTF8.self),
        data: Array(body[fields.data]), expiresAt: fields.expiresAt)
    }
  }
}

/// A key that left a channel because its time was up.
public struct ExpiredKey: Equatable, Sendable {
  /// The channel it was in.
  public var channel: ChannelName
  /// The key.
  public var key: MessageKey
}
