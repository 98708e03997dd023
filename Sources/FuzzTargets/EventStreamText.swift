import EventStorage
import Events
import Gateway
import PropertyTesting

/// Event streams, read and written: every chunking of any bytes gives the same events, and a payload comes out of its frame as it went in.
enum EventStreamText {
  @Sendable static func test(_ bytes: [UInt8]) throws {
    try checkChunks(bytes)
    try checkFrames(bytes)
  }

  private static func checkChunks(_ bytes: [UInt8]) throws {
    var whole = EventStreamParser()
    let events = whole.feed(bytes)
    try hold((whole.retry ?? .zero) >= .zero, "a wait of less than nothing")
    for event in events { try hold(!event.name.isEmpty, "an event without a name") }
    for size in [1, 2, 7] {
      var parser = EventStreamParser()
      var found: [EventStreamParser.Event] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        found += parser.feed(bytes[start..<min(start + size, bytes.count)])
      }
      try hold(found, equals: events, "chunks of \(size)")
      try hold(parser.lastEventID, equals: whole.lastEventID)
      try hold(parser.retry, equals: whole.retry)
    }
  }

  private static func checkFrames(_ bytes: [UInt8]) throws {
    guard let channel = try? ChannelName("boards"), let key = try? MessageKey("north") else {
      return
    }
    let recordKey = EventKey.message(channel, key).bytes
    for contentType in ["text/plain", "application/json", "", "image/png"] {
      let message = Message(id: "m1", contentType: contentType, data: bytes).encoded
      let row = RecordRow(
        offset: Offset(7), timestamp: 1, keyStart: 0, keyLength: Int32(recordKey.count),
        valueStart: Int32(recordKey.count), valueLength: Int32(message.count))
      for shape in StreamShape.allCases {
        var frame: [UInt8] = []
        StreamFrames.append(row, of: recordKey + message, as: shape, id: "id", to: &frame)
        var parser = EventStreamParser()
        let events = parser.feed(frame)
        try hold(events.count, equals: 1, "\(shape) of \(contentType)")
        guard let event = events.first else { return }
        try hold(event.name, equals: "message")
        try hold(event.id, equals: "id")
        if shape == .payload, contentType.hasPrefix("text/") {
          try hold(event.data, equals: String(decoding: lines(bytes), as: UTF8.self))
        } else if shape != .payload {
          try JSONSyntax.check(Array(event.data.utf8)[...])
        }
      }
    }
  }

  /// A reader sees every end of a line as LF.
  private static func lines(_ bytes: [UInt8]) -> [UInt8] {
    var lines: [UInt8] = []
    var previous: UInt8 = 0
    for byte in bytes {
      if byte == UInt8(ascii: "\r") {
        lines.append(UInt8(ascii: "\n"))
      } else if byte != UInt8(ascii: "\n") || previous != UInt8(ascii: "\r") {
        lines.append(byte)
      }
      previous = byte
    }
    return lines
  }
}
