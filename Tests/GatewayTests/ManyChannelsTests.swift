import EventStorage
import Events
import Gateway
import Testing

/// Streams of several channels: shared frames without ids, and one id behind each write.
@Suite struct ManyChannelsTests {
  @Test func `changes of every channel come as envelopes, and the id follows them`() async throws {
    try await withServer(over: makeLog()) { server in
      try await server.publish("a", "1", key: "k")
      let start = try await server.publish("b", "2", key: "k").position
      _ = try await server.request("GET", "/v1/channels/a?min=\(start)")
      let stream = try await server.stream("/v1/events?channel=a&channel=b&channel=a")
      let first = try await stream.waitUntilLive()
      #expect(first.filter(\.isMessage).map(\.event) == ["snapshot", "message", "message", "live"])
      #expect(first.filter { $0.event == "message" && $0.isMessage }.allSatisfy { $0.id == nil })
      try await server.publish("c", "unheard")
      let position = try await server.publish("b", "3", key: "k").position
      let blocks = try await stream.wait("an id") { $0.contains { $0.id == position } }
      let change = try #require(blocks.firstIndex { $0.text.contains("\"data\":\"3\"") })
      #expect(blocks[change].text.hasPrefix("{\"channel\":\"b\",\"key\":\"k\","))
      #expect(blocks[change].id == nil)
      #expect(blocks[change + 1] == StreamBlock(id: position))
    }
  }

  @Test func `a token of several partitions resumes each of them where it was (law 26)`()
    async throws
  {
    let log = makeLog(partitions: 8)
    let channels = (0..<12).map { "channel-\($0)" }
    let partitions = Set(
      try channels.map { Slot(channel: try ChannelName($0)).partition(of: 8) })
    #expect(partitions.count > 3)
    let target = "/v1/events?" + channels.map { "channel=\($0)" }.joined(separator: "&")
    try await withServer(over: log) { server in
      let witness = try await server.stream(target)
      try await witness.waitUntilLive()
      for number in 0..<60 {
        try await server.publish(channels[number * 5 % 12], "n\(number).", key: "k\(number % 5)")
      }
      let blocks = try await witness.wait("everything") { blocks in
        (0..<60).allSatisfy { number in blocks.contains { $0.text.contains("\"n\(number).\"") } }
          && blocks.last?.id != nil
      }
      // From every id: what followed it, each once, and in the order of each channel.
      for (index, block) in blocks.enumerated() where block.event != "heartbeat" {
        guard let id = block.id else { continue }
        let rest = blocks[(index + 1)...].filter { $0.isMessage && $0.event == "message" }
        let stream = try await server.stream(target, lastEventID: id)
        let resumed = try await stream.waitUntilLive().filter(\.isMessage)
        #expect(resumed.first?.event == "resumed")
        let got = resumed.dropFirst().dropLast().map(\.text)
        #expect(got.sorted() == rest.map(\.text).sorted())
        for channel in channels {
          let mine = "{\"channel\":\"\(channel)\","
          #expect(
            got.filter { $0.hasPrefix(mine) }
              == rest.map(\.text).filter { $0.hasPrefix(mine) })
        }
        stream.close()
      }
    }
  }

  @Test func `a token that says nothing of one of the partitions is reset`() async throws {
    try await withServer(over: makeLog(partitions: 8)) { server in
      let position = try await server.publish("channel-0", "x").position
      let stream = try await server.stream(
        "/v1/events?channel=channel-0&channel=channel-1&channel=channel-2", lastEventID: position)
      #expect(
        try await stream.waitUntilLive().filter(\.isMessage)[0].text.contains("other-partitions"))
    }
  }

  @Test func `a deletion names its channel`() async throws {
    try await withServer(over: makeLog()) { server in
      let stream = try await server.stream("/v1/events?channel=a&channel=b")
      try await stream.waitUntilLive()
      try await server.publish("b", "x", key: "k")
      _ = try await server.request("DELETE", "/v1/channels/b/messages/k")
      let messages = try await stream.wait(forMessages: 4)
      #expect(messages[3].event == "delete")
      #expect(messages[3].text == "{\"channel\":\"b\",\"key\":\"k\"}")
    }
  }
}
