import Events
import Testing

@Suite struct NamesTests {
  @Test func `channels lie in the slots and partitions that another program says`() throws {
    #expect(Golden.slots.count == 60)
    for row in Golden.slots {
      let slot = Slot(channel: try ChannelName(row[0]))
      #expect(
        [slot.number, slot.partition(of: 2), slot.partition(of: 3), slot.partition(of: 8)]
          == row.dropFirst().compactMap { Int($0) }, "\(row[0])")
    }
  }

  @Test func `names have limits, in bytes`() throws {
    #expect(throws: NameFailure.empty) { try ChannelName("") }
    #expect(try ChannelName(String(repeating: "x", count: 255)).text.count == 255)
    #expect(throws: NameFailure.tooLong(bytes: 256, limit: 255)) {
      try ChannelName(String(repeating: "ü", count: 128))
    }
    #expect(throws: NameFailure.tooLong(bytes: 513, limit: 512)) {
      try MessageKey(String(repeating: "x", count: 513))
    }
    #expect(throws: NameFailure.tooLong(bytes: 256, limit: 255)) {
      try NodeID(String(repeating: "x", count: 256))
    }
  }

  @Test(arguments: ["\u{0}", "a\u{1f}", "\u{7f}b", "\u{9f}", "a\nb"])
  func `control characters are refused`(text: String) {
    #expect(throws: NameFailure.controlCharacter) { try ChannelName(text) }
    #expect(throws: NameFailure.controlCharacter) { try MessageKey(text) }
  }

  @Test func `a message key is read back from its bytes`() throws {
    for event in Golden.events where event.name.hasPrefix("message") {
      let (channel, key) = try #require(EventKey.message(bytes: event.key))
      #expect(EventKey.message(channel, key).bytes == event.key)
      let separator = EventKey.separator(0..<event.key.count, of: event.key.span.bytes)
      #expect(separator == channel.text.utf8.count)
    }
  }

  @Test(arguments: [
    [], [0], [0, 1], [65], [65, 0], [65, 0, 10], [0xff, 0, 65], [65, 0, 66, 0, 67],
  ])
  func `bytes that are no message key are none`(bytes: [UInt8]) {
    #expect(EventKey.message(bytes: bytes) == nil)
  }

  @Test func `other keys are written as the schema says`() throws {
    #expect(EventKey.node(try NodeID("n1")).bytes == Array("node/n1".utf8))
    #expect(EventKey.slot(try #require(Slot(4095))).bytes == Array("slot/4095".utf8))
    #expect(EventKey.cluster("main").bytes == Array("cluster/main".utf8))
    #expect(EventKey.observation(try NodeID("n1")).bytes == Array("n1".utf8))
    #expect(EventKey.timePassed.bytes == [0] + Array("time".utf8))
    #expect(Slot(4096) == nil && Slot(-1) == nil)
  }
}
