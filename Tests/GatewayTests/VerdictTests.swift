import EventStorage
import Events
import Gateway
import Projections
import Testing

/// The first event of a stream says what can be done for the client (law 26: a gap is never silent).
@Suite struct VerdictTests {
  @Test func `without a token the stream begins with the state, then live, then changes`()
    async throws
  {
    try await withServer(over: makeLog()) { server in
      try await server.publish("news", "one", key: "a")
      try await server.publish("news", "two", key: "b")
      let last = try await server.publish("news", "three", key: "a")
      _ = try await server.request("GET", "/v1/channels/news?min=\(last.position)")
      let stream = try await server.stream("/v1/channels/news/events")
      try await stream.waitUntilLive()
      let next = try await server.publish("news", "four", key: "c")
      let messages = try await stream.wait(forMessages: 5)
      #expect(messages.map(\.event) == ["snapshot", "message", "message", "live", "message"])
      #expect(messages.map(\.text)[1...2] == ["two", "three"])
      #expect(messages[0].text == "{\"reason\":\"new\",\"position\":\"\(last.position)\"}")
      #expect(messages[3].text == "{\"position\":\"\(last.position)\"}")
      #expect(messages.map(\.id) == [nil, nil, nil, last.position, next.position])
      #expect(stream.blocks[0].retry != nil)
    }
  }

  @Test func `a token in the window is resumed with exactly what is lacking`() async throws {
    try await withServer(over: makeLog()) { server in
      var positions: [String] = []
      for number in 0..<10 {
        positions.append(try await server.publish("news", "\(number)", key: "k").position)
      }
      _ = try await server.request("GET", "/v1/channels/news?min=\(positions[9])")
      for (index, position) in positions.enumerated() {
        let stream = try await server.stream("/v1/channels/news/events", lastEventID: position)
        let messages = try await stream.waitUntilLive().filter(\.isMessage)
        #expect(messages[0].event == "resumed")
        #expect(
          messages[0].text == "{\"reason\":\"resumed\",\"position\":\"\(position)\"}")
        #expect(messages.dropFirst().dropLast().map(\.text) == (index + 1..<10).map { "\($0)" })
        #expect(messages.dropFirst().dropLast().map(\.id) == Array(positions[(index + 1)...]))
        stream.close()
      }
    }
  }

  @Test func `the token may come in the query, and the header wins`() async throws {
    try await withServer(over: makeLog()) { server in
      let first = try await server.publish("news", "1").position
      let second = try await server.publish("news", "2").position
      _ = try await server.request("GET", "/v1/channels/news?min=\(second)")
      let query = try await server.stream("/v1/channels/news/events?lastEventId=\(first)")
      #expect(try await query.waitUntilLive().filter(\.isMessage).map(\.text)[1] == "2")
      let both = try await server.stream(
        "/v1/channels/news/events?lastEventId=\(first)", lastEventID: second)
      let events = try await both.waitUntilLive().filter(\.isMessage).map(\.event)
      #expect(events == ["resumed", "live"])
    }
  }

  @Test func `a token older than the window gets the state, and is told so`() async throws {
    try await withServer(over: makeLog()) {
      $0.limits.recentBytesMax = 2000
    } _: { server in
      let first = try await server.publish("news", "first", key: "a").position
      var last = ""
      for number in 0..<50 {
        last = try await server.publish("news", "\(number)", key: "b").position
      }
      _ = try await server.request("GET", "/v1/channels/news?min=\(last)")
      let stream = try await server.stream("/v1/channels/news/events", lastEventID: first)
      let messages = try await stream.waitUntilLive().filter(\.isMessage)
      #expect(messages.map(\.event) == ["snapshot", "message", "message", "live"])
      #expect(messages[0].text == "{\"reason\":\"behind\",\"position\":\"\(last)\"}")
      #expect(messages[1...2].map(\.text) == ["first", "49"])
    }
  }

  @Test func `a token from before the tombstone horizon is not resumed`() async throws {
    let log = makeLog()
    try await withServer(over: log) { server in
      let first = try await server.publish("news", "first", key: "a").position
      let last = try await server.publish("news", "second", key: "b").position
      let partition = Partition(.messages, 0)
      let end = try log.bounds(of: partition).end
      try log.compact(partition, before: end, dropTombstonesBefore: end)
      // The follower looks at the bounds when it next reads.
      _ = try await server.publish("news", "third", key: "c")
      #expect(first != last)
      try await waitUntil("the horizon is seen") {
        let stream = try await server.stream("/v1/channels/news/events", lastEventID: first)
        defer { stream.close() }
        return try await stream.waitUntilLive().filter(\.isMessage)[0].text.contains("behind")
      }
    }
  }

  @Test(arguments: [
    ("nonsense!", "malformed"), ("AQ", "malformed"),
    (String(repeating: "A", count: 5000), "malformed"), ("_w", "unknown-version"),
    (Position(log: LogIdentity(1), offsets: [Partition(.messages, 0): .zero]).token, "other-log"),
    (testPosition([Partition(.messages, 0): Offset(99)]), "beyond-end"),
    (testPosition([:]), "other-partitions"),
    (testPosition([Partition(.topology, 0): .zero]), "other-partitions"),
  ])
  func `a token that cannot be used is answered with a reset that says why`(
    token: String, reason: String
  ) async throws {
    try await withServer(over: makeLog()) { server in
      let position = try await server.publish("news", "one", key: "a").position
      _ = try await server.request("GET", "/v1/channels/news?min=\(position)")
      let stream = try await server.stream("/v1/channels/news/events", lastEventID: token)
      let messages = try await stream.waitUntilLive().filter(\.isMessage)
      #expect(messages.map(\.event) == ["reset", "message", "live"])
      #expect(messages[0].text == "{\"reason\":\"\(reason)\",\"position\":\"\(position)\"}")
      #expect(stream.blocks.filter { $0.event == "reset" }.count == 1)
    }
  }

  @Test func `a new server over the same log resumes tokens of the old one`() async throws {
    let log = makeLog(partitions: 2)
    let positions = try await withServer(over: log) { server in
      var positions: [String] = []
      for number in 0..<5 {
        positions.append(try await server.publish("news", "\(number)", key: "k").position)
      }
      return positions
    }
    try await withServer(over: log) { server in
      let stream = try await server.stream("/v1/channels/news/events", lastEventID: positions[1])
      let messages = try await stream.wait(forMessages: 5)
      #expect(messages.filter { $0.event == "message" }.map(\.text) == ["2", "3", "4"])
      #expect(messages[0].event == "resumed")
    }
  }

  @Test func `a server that begins with a state gives the state to older tokens`() async throws {
    let log = makeLog()
    let partition = Partition(.messages, 0)
    let positions = try await withServer(over: log) { server in
      let first = try await server.publish("news", "one", key: "a").position
      return [first, try await server.publish("news", "two", key: "b").position]
    }
    var fold = Fold()
    let end = try log.read(partition, from: .zero, bytesMax: .max, into: &fold)
    let start = GatewayServer<MemoryLog>.Start(channels: fold.channels, position: end)
    try await withServer(over: log, starts: [partition: start]) { server in
      let old = try await server.stream("/v1/channels/news/events", lastEventID: positions[0])
      let oldMessages = try await old.waitUntilLive().filter(\.isMessage)
      #expect(oldMessages.map(\.event) == ["snapshot", "message", "message", "live"])
      let new = try await server.stream("/v1/channels/news/events", lastEventID: positions[1])
      #expect(
        try await new.waitUntilLive().filter(\.isMessage).map(\.event) == ["resumed", "live"])
    }
  }
}

private struct Fold: RecordSink {
  var channels = Channels()

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    channels.apply(bytes, rows, next: next)
  }
}
