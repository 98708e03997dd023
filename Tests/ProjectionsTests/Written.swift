import EventStorage
import Events

/// A record together with what it was written to mean, so that no test asks a decoder.
struct Written {
  enum Meaning {
    case message(ChannelName, MessageKey, Message)
    case tombstone
    case poison
    case unknown
    case foreignKey
    case time
  }

  var key: [UInt8]
  var value: [UInt8]?
  var meaning: Meaning
  var offset: Int64 = 0
  var time: Int64 = 0

  static func message(
    _ channel: String, _ key: String, _ message: Message, at offset: Int64, time: Int64 = 1
  ) throws -> Written {
    let channel = try ChannelName(channel)
    let key = try MessageKey(key)
    return Written(
      key: EventKey.message(channel, key).bytes, value: message.encoded,
      meaning: .message(channel, key, message), offset: offset, time: time)
  }

  static func tombstone(of record: Written, at offset: Int64, time: Int64 = 1) -> Written {
    Written(key: record.key, value: nil, meaning: .tombstone, offset: offset, time: time)
  }
}

/// Records as a log lends them.
struct Batch {
  private(set) var bytes: [UInt8] = []
  private(set) var rows: [RecordRow] = []
  let next: Offset

  init(_ records: some Collection<Written>) {
    for record in records {
      let keyStart = bytes.count
      bytes += record.key
      let valueStart = bytes.count
      bytes += record.value ?? []
      rows.append(
        RecordRow(
          offset: Offset(record.offset), timestamp: record.time, keyStart: Int32(keyStart),
          keyLength: Int32(record.key.count), valueStart: Int32(valueStart),
          valueLength: record.value.map { Int32($0.count) } ?? -1))
    }
    next = Offset((rows.last?.offset.rawValue ?? -1) + 1)
  }

  /// Records that share their values, so that many are made quickly. Nil is a tombstone.
  init(
    keys: [[UInt8]], values: [[UInt8]], _ picks: some Collection<(key: Int, value: Int?)>,
    from offset: Int64 = 0
  ) {
    var bytes: [UInt8] = []
    func place(_ piece: [UInt8]) -> (start: Int, length: Int) {
      bytes += piece
      return (bytes.count - piece.count, piece.count)
    }
    let valuePlaces = values.map(place)
    let keyPlaces = keys.map(place)
    for (index, pick) in picks.enumerated() {
      let key = keyPlaces[pick.key]
      let value = pick.value.map { valuePlaces[$0] } ?? (start: 0, length: -1)
      rows.append(
        RecordRow(
          offset: Offset(offset + Int64(index)), timestamp: 1, keyStart: Int32(key.start),
          keyLength: Int32(key.length), valueStart: Int32(value.start),
          valueLength: Int32(value.length)))
    }
    self.bytes = bytes
    next = Offset(offset + Int64(picks.count))
  }

  func lend(to sink: inout some RecordSink) {
    sink.apply(bytes.span.bytes, rows.span, next: next)
  }
}

extension RecordSink {
  mutating func take(_ records: some Collection<Written>) { Batch(records).lend(to: &self) }
}
