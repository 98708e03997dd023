import EventStorage
import Events
import Gateway
import Testing

/// Partitions that are held while somebody needs them, and logs that cannot be reached.
@Suite struct DemandTests {
  private func readiness(_ server: TestServer) async throws -> String {
    try await server.request("GET", "/readyz").body
  }

  private func idleCount(_ server: TestServer) async throws -> Int {
    try await readiness(server).ranges(of: "\"state\":\"idle\"").count
  }

  @Test func `a partition is held while somebody needs it`() async throws {
    try await withServer(over: makeLog(partitions: 2)) {
      $0.partitionIdleSeconds = 0.2
    } _: { server in
      // Publishing needs no state.
      let position = try await server.publish("news", "one", key: "k").position
      #expect(try await readiness(server).hasPrefix("{\"ready\":true"))
      #expect(try await idleCount(server) == 2)
      let read = try await server.request("GET", "/v1/channels/news?min=\(position)")
      #expect(read.body.contains("\"data\":\"one\""))
      #expect(try await idleCount(server) == 1)
      try await waitUntil("let go after a read") {
        try await idleCount(server) == 2
      }
      let stream = try await server.stream("/v1/channels/news/events")
      try await stream.waitUntilLive()
      try await server.publish("news", "two", key: "k")
      let messages = try await stream.wait(forMessages: 4)
      #expect(messages.map(\.event) == ["snapshot", "message", "live", "message"])
      #expect(messages.map(\.text)[3] == "two")
      // A stream that says nothing for longer than that holds it.
      try await Task.sleep(for: .milliseconds(500))
      #expect(try await idleCount(server) == 1)
      stream.close()
      try await waitUntil("let go after a stream") {
        try await idleCount(server) == 2
      }
      let again = try await server.stream("/v1/channels/news/events", lastEventID: position)
      let rest = try await again.waitUntilLive().filter(\.isMessage)
      #expect(rest.map(\.event) == ["resumed", "message", "live"])
      #expect(rest.map(\.text)[1] == "two")
    }
  }

  @Test func `a partition in which something happens all the time is let go too`() async throws {
    try await withServer(over: RemoteLog(makeLog(), isBusy: true)) {
      $0.partitionIdleSeconds = 0.2
    } _: { server in
      #expect(try await server.request("GET", "/v1/channels/news").status == 200)
      #expect(try await idleCount(server) == 0)
      try await waitUntil("let go under load") { try await idleCount(server) == 1 }
    }
  }

  @Test func `streams of several partitions wait for all of them`() async throws {
    let log = makeLog(partitions: 8)
    try await withServer(over: log) {
      $0.partitionIdleSeconds = 60
    } _: { server in
      let channels = (0..<20).map { "c\($0)" }
      for channel in channels { try await server.publish(channel, "x", key: "k") }
      let query = channels.map { "channel=\($0)" }.joined(separator: "&")
      let stream = try await server.stream("/v1/events?\(query)")
      let messages = try await stream.waitUntilLive().filter(\.isMessage)
      #expect(messages.map(\.event) == ["snapshot"] + channels.map { _ in "message" } + ["live"])
    }
  }

  @Test(arguments: [nil, 60.0])
  func `while the log cannot be reached, reads say how old they are and writes are refused`(
    idleSeconds: Double?
  ) async throws {
    let log = RemoteLog(makeLog())
    try await withServer(over: log) {
      $0.partitionIdleSeconds = idleSeconds
      $0.heartbeatSeconds = 1
    } _: { server in
      let first = try await server.publish("news", "one", key: "k").position
      let stream = try await server.stream("/v1/channels/news/events")
      try await stream.waitUntilLive()
      try log.cutOff()
      let refused = try await server.request(
        "POST", "/v1/channels/news/messages", headers: ["Signalbox-Key: k"],
        body: Array("two".utf8))
      #expect(refused.status == 503)
      #expect(refused.member("type") == "urn:signalbox:problem:log-unavailable")
      #expect(refused.headers["retry-after"] == "2")
      #expect(refused.body.contains("not acknowledged"))
      // Somebody else publishes: nobody here knows.
      let message = Message(
        id: "elsewhere", contentType: "text/plain", data: Array("three".utf8), expiresAt: 0)
      _ = try await log.base.append(
        AppendBatch(
          [
            NewRecord(
              key: EventKey.message(try ChannelName("news"), try MessageKey("k")).bytes,
              value: message.encoded)
          ], timestamp: 1), to: Partition(.messages, 0))
      try await waitUntil("stale") {
        try await server.request("GET", "/v1/channels/news").body.contains("\"staleSeconds\":")
      }
      let read = try await server.request("GET", "/v1/channels/news")
      #expect(read.status == 200)
      #expect(read.position == first)
      #expect(read.body.contains("\"data\":\"one\""))
      #expect(try await readiness(server).hasPrefix("{\"ready\":true"))
      #expect(try await readiness(server).contains("\"staleSeconds\":"))
      try await stream.wait("a stale heartbeat") { blocks in
        blocks.contains { $0.event == "heartbeat" && $0.text.contains("\"staleSeconds\":") }
      }
      // Whoever has read more elsewhere is neither sent back nor told that there is no more.
      let ahead = testPosition([Partition(.messages, 0): Offset(2)])
      let resumed = try await server.stream("/v1/channels/news/events", lastEventID: ahead)
      #expect(resumed.blocks.filter(\.isMessage).isEmpty)
      log.reconnect()
      let blocks = try await resumed.waitUntilLive().filter(\.isMessage)
      #expect(blocks.map(\.event) == ["resumed", "live"])
      let messages = try await stream.wait(forMessages: 4)
      #expect(messages.map(\.text)[3] == "three")
      try await server.publish("news", "four", key: "k")
      try await resumed.wait(forMessages: 3)
    }
  }

  @Test func `a stream of what cannot be read at all is sent away after a while`() async throws {
    let log = RemoteLog(makeLog())
    try log.cutOff()
    try await withServer(over: log) {
      $0.partitionIdleSeconds = 60
      $0.limits.streamStartSecondsMax = 0.2
      $0.limits.minWaitSeconds = 0.2
    } _: { server in
      // Its token is of what others have.
      let ahead = testPosition([Partition(.messages, 0): Offset(2)])
      let stream = try await server.stream("/v1/channels/news/events", lastEventID: ahead)
      try await stream.wait("the end") { blocks in
        blocks.contains { $0.comments.contains("the log cannot be read now") }
      }
      #expect(stream.blocks.contains { $0.retry != nil })
    }
  }
}
