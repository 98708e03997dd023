import Events
import PropertyTesting

/// Key bytes: what is taken for a message's key is written again as the same bytes, and splits where they do.
enum RecordKey {
  @Sendable static func test(_ bytes: [UInt8]) throws {
    let separator = EventKey.separator(0..<bytes.count, of: bytes.span.bytes)
    try hold(separator.map { bytes[$0] } ?? 0, equals: 0)
    // In the middle of other bytes it is the same.
    let inside = [0] + bytes + [0]
    try hold(
      EventKey.separator(1..<bytes.count + 1, of: inside.span.bytes),
      equals: separator.map { $0 + 1 })
    if let (channel, key) = EventKey.message(bytes: bytes) {
      try hold(EventKey.message(channel, key).bytes, equals: bytes)
      try hold(separator, equals: channel.text.utf8.count)
      try hold(Slot(channel: channel).number < Slot.count, "a slot that is none")
    }
    try checkNames(String(decoding: bytes, as: UTF8.self))
  }

  private static func checkNames(_ text: String) throws {
    if let channel = try? ChannelName(text), let key = try? MessageKey(text) {
      let message = EventKey.message(bytes: EventKey.message(channel, key).bytes)
      try hold(message?.0, equals: channel)
      try hold(message?.1, equals: key)
    }
    if let slot = Int(text).flatMap(Slot.init) {
      try hold(EventKey.slot(slot).bytes, equals: Array("slot/\(slot.number)".utf8))
    }
  }
}
