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
}

/// A key that left a channel because its time was up.
public struct ExpiredKey: Equatable, Sendable {
  /// The channel it was in.
  public var channel: ChannelName
  /// The key.
  public var key: MessageKey
}

/// The channels of one partition: the last message of every key that is neither deleted nor expired.
public struct Channels: Projection {
  public static let name = "channels"
  public static let foldVersion: UInt32 = 1

  public private(set) var counts = FoldCounts()
  /// The newest time read, in milliseconds since 1970. Expiry is decided by it.
  public private(set) var logTime: Int64 = 0
  private var channels: [String: [String: ChannelMessage]] = [:]
  private var expired: [ExpiredKey] = []

  public init() {}

  /// The messages of a channel in the order of their offsets.
  public func messages(in channel: ChannelName) -> [ChannelMessage] {
    (channels[channel.text] ?? [:]).values.sorted { $0.offset < $1.offset }
  }

  /// When the next message expires, in milliseconds since 1970; nil when none does.
  public var nextExpiry: Int64? {
    channels.values.lazy.flatMap(\.values).map(\.message.expiresAt).filter { $0 != 0 }.min()
  }

  /// The keys that expired since this was last called, in the order of their expiry.
  public mutating func takeExpired() -> [ExpiredKey] {
    defer { expired = [] }
    return expired
  }

  public mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices { apply(rows[index], bytes) }
    for (name, messages) in channels {
      for message in messages.values
      where message.message.expiresAt != 0 && message.message.expiresAt <= logTime {
        channels[name]?[message.key] = nil
        if let channel = try? ChannelName(name), let key = try? MessageKey(message.key) {
          expired.append(ExpiredKey(channel: channel, key: key))
        }
      }
    }
  }

  private mutating func apply(_ row: RecordRow, _ bytes: RawSpan) {
    counts.records += 1
    logTime = max(logTime, row.timestamp)
    let keyBytes = row.key.map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    guard let (channel, key) = EventKey.message(bytes: keyBytes) else { return }
    if row.isTombstone {
      channels[channel.text]?[key.text] = nil
      return
    }
    do throws(DecodeFailure) {
      guard case .event(.messagePublished, let body) = try EventEnvelope.read(row.value, of: bytes)
      else {
        counts.unknown += 1
        return
      }
      let fields = try MessageFields(body: body, of: bytes)
      let message = Message(
        id: try text(fields.id, bytes), contentType: try text(fields.contentType, bytes),
        data: fields.data.map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) },
        expiresAt: fields.expiresAt)
      channels[channel.text, default: [:]][key.text] = ChannelMessage(
        key: key.text, message: message, time: row.timestamp, offset: row.offset)
    } catch {
      counts.poison += 1
    }
  }

  private func text(_ range: Range<Int>, _ bytes: RawSpan) throws(DecodeFailure) -> String {
    let utf8 = range.map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    guard let text = String(validating: utf8, as: UTF8.self) else { throw .notText }
    return text
  }

  public func encode(into bytes: inout [UInt8]) {}

  public init(decoding bytes: RawSpan) throws(SnapshotFailure) {
    throw .damaged("not written yet")
  }
}
