import EventLogContract
import EventStorage
import Events
import Gateway
import Testing

/// Law 7 in a running gateway: a deletion that compaction took away before it was read is seen all the same, and told.
@Suite struct OvertakenTests {
  private static let partition = Partition(.messages, 0)

  @Test(arguments: [
    "/v1/channels/c/events", "/v1/channels/c/events?envelope=true",
    "/v1/events?channel=c&channel=d",
  ])
  func `a deletion that was compacted away unread reaches reads and live streams`(
    target: String
  ) async throws {
    let log = GatedLog(makeLog())
    try await withServer(over: log) { server in
      defer { log.open() }
      try await server.publish("c", "one", key: "a")
      let before = try await server.publish("c", "two", key: "b").position
      _ = try await server.request("GET", "/v1/channels/c?min=\(before)")
      let stream = try await server.stream(target)
      try await stream.waitUntilLive()

      log.shut()
      _ = try await server.request("DELETE", "/v1/channels/c/messages/a")
      let after = try await server.publish("c", "three", key: "b").position
      let end = try log.bounds(of: Self.partition).end
      try log.base.compact(Self.partition, before: end, dropTombstonesBefore: end)
      // The read that comes too late; what follows is read anew, and until then everything is as it was.
      log.pass(1)
      let meanwhile = try await server.request("GET", "/v1/channels/c")
      #expect(meanwhile.position == before)
      #expect(meanwhile.body.contains("\"one\"") && meanwhile.body.contains("\"two\""))
      let old = try await server.stream("/v1/channels/c/events", lastEventID: before)
      try await old.waitUntilLive()
      log.open()

      let now = try await server.request("GET", "/v1/channels/c?min=\(after)")
      #expect(now.position == after)
      #expect(!now.body.contains("\"one\"") && now.body.contains("\"three\""))
      for stream in [stream, old] {
        let blocks = try await stream.wait("the state again") { blocks in
          blocks.filter { $0.event == "live" }.count == 2
        }
        let again = try #require(blocks.lastIndex { $0.event == "snapshot" })
        #expect(blocks[again].text.contains("\"position\":\"\(after)\""))
        let told = blocks[again...].filter { $0.event == "message" && $0.isMessage }
        #expect(told.count == 1 && told[0].text.contains("three"))
      }
      // It goes on from there.
      try await server.publish("c", "four", key: "b")
      try await stream.connection.wait(for: "four")
      let resumed = try await server.stream("/v1/channels/c/events", lastEventID: after)
      #expect(
        try await resumed.waitUntilLive().filter(\.isMessage).map(\.event)
          == ["resumed", "message", "live"])
    }
  }

  @Test func `a gateway that starts on a long log is overtaken and keeps nothing deleted`()
    async throws
  {
    let log = GatedLog(makeLog())
    let channel = try ChannelName("c")
    for (key, isDeletion) in [("a", false), ("b", false), ("a", true)] {
      let message = Message(id: key, contentType: "text/plain", data: Array(key.utf8))
      let record = NewRecord(
        key: EventKey.message(channel, try MessageKey(key)).bytes,
        value: isDeletion ? nil : message.encoded)
      _ = try await log.append(AppendBatch([record], timestamp: 1), to: Self.partition)
    }
    log.shut(waits: false)
    try await withServer(over: log) {
      $0.limits.readBytesMax = 1
    } _: { server in
      defer { log.open() }
      // It has read `a`; now `a` and its tombstone go, and the log ends with a hole.
      log.pass(1)
      try log.base.compact(Self.partition, before: Offset(3), dropTombstonesBefore: Offset(3))
      log.open()
      let end = testPosition([Self.partition: Offset(3)])
      let read = try await server.request("GET", "/v1/channels/c?min=\(end)")
      #expect(read.position == end)
      #expect(read.body.contains("\"key\":\"b\"") && !read.body.contains("\"key\":\"a\""))
      #expect(try await server.request("GET", "/readyz").status == 200)
    }
  }
}
