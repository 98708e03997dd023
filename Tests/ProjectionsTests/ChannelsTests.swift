import EventStorage
import Events
import Projections
import Testing

@Suite struct ChannelsTests {
  @Test func `a message is read back exactly as it was published`() throws {
    let everyByte = Array(UInt8.min...UInt8.max)
    let messages = [
      Message(id: "", contentType: "", data: []),
      Message(id: "1", contentType: "text/plain", data: Array("grüße 👋".utf8)),
      Message(id: "e\u{301}", contentType: "application/json", data: everyByte),
      Message(id: "3", contentType: "", data: everyByte + everyByte, expiresAt: .max),
      Message(id: String(repeating: "i", count: 300), contentType: "x", data: [0, 0, 0]),
    ]
    let names = ["a", "é", "e\u{301}", "with space", String(repeating: "n", count: 255)]
    var channels = Channels()
    for (index, name) in names.enumerated() {
      channels.take(
        try messages.enumerated().map { number, message in
          try .message(
            name, "k\(number)", message, at: Int64(index * messages.count + number), time: 50)
        })
    }
    for (index, name) in names.enumerated() {
      let expected = messages.enumerated().map { number, message in
        Seen(
          key: "k\(number)", message: message, time: 50,
          offset: Int64(index * messages.count + number))
      }
      #expect(try channels.seen(in: ChannelName(name)) == expected)
    }
  }

  @Test func `the largest message comes and goes among small ones`() throws {
    let channel = try ChannelName(String(repeating: "c", count: ChannelName.bytesMax))
    let key = String(repeating: "k", count: MessageKey.bytesMax)
    let largest = LogLimits.recordBytesMax - ChannelName.bytesMax - MessageKey.bytesMax - 1 - 16
    var channels = Channels()
    var offset: Int64 = 0
    var small = try Written.message(
      channel.text, "s", Message(id: "s", contentType: "", data: [1]), at: 0)
    for size in [0, largest, 1, largest - 1, 65_535, 65_536, 524_287, 524_288, largest, 0] {
      let message = Message(id: "m", contentType: "t", data: Array(repeating: 9, count: size))
      let large = try Written.message(channel.text, key, message, at: offset + 1)
      try #require(large.key.count + (large.value?.count ?? 0) <= LogLimits.recordBytesMax)
      small.offset = offset
      channels.take([small, large])
      offset += 2
      let seen = channels.seen(in: channel)
      #expect(seen.map(\.key) == ["s", key])
      #expect(seen.last?.message == message)
      var copy = channels
      copy.take([.tombstone(of: large, at: offset)])
      #expect(copy.seen(in: channel).map(\.key) == ["s"])
      #expect(channels.count == 2)
    }
  }

  @Test func `a key longer than any message's is no message`() throws {
    let value = Message(id: "", contentType: "", data: [1]).encoded
    let channel = Array(repeating: UInt8(65), count: ChannelName.bytesMax)
    let key = Array(repeating: UInt8(66), count: MessageKey.bytesMax)
    var channels = Channels()
    for bytes in [
      channel + [65, 0, 66], [65, 0, 66] + key, Array(repeating: 65, count: 70_000) + [0, 66],
      [65, 0] + Array(repeating: 66, count: 70_000),
    ] {
      channels.take([Written(key: bytes, value: value, meaning: .foreignKey)])
      #expect(channels.count == 0)
    }
    #expect(channels.counts.poison == 4)
    channels.take([Written(key: channel + [0] + key, value: value, meaning: .foreignKey)])
    #expect(channels.count == 1)
    #expect(channels.counts.poison == 4)
  }

  @Test func `the next expiry is that of a message that is there`() throws {
    func message(_ key: String, _ expiresAt: Int64, at offset: Int64) throws -> Written {
      try .message(
        "a", key, Message(id: "", contentType: "", data: [], expiresAt: expiresAt), at: offset)
    }
    var channels = Channels()
    channels.take(try [message("x", 100, at: 0), message("y", 200, at: 1)])
    #expect(channels.nextExpiry == 100)
    channels.take([.tombstone(of: try message("x", 100, at: 0), at: 2)])
    #expect(channels.nextExpiry == 200)
    channels.take(try [message("y", 300, at: 3)])
    #expect(channels.nextExpiry == 300)
    channels.take(try [message("y", 0, at: 4)])
    #expect(channels.nextExpiry == nil)
  }

  @Test func `the digest of a fixed sequence is the same on every machine`() throws {
    var story = try Story(seed: 42, channels: 6, keys: 40, hasLargeBodies: true)
    var channels = Channels()
    for _ in 0..<20 { channels.take(try story.records(50)) }
    #expect(channels.count == 114)
    #expect(
      channels.digest == "4838efcb72fe4dbaae1ffacc6fe70ae601d0841b375197447e6f05f2a86fef9c")
  }
}
