import EventStorage
import Events
import Gateway
import NIOCore
import Testing

/// Law 31: one slow reader never delays another, and nothing grows without a bound.
@Suite(.serialized) struct SlowReaderTests {
  private static let padding = String(repeating: "x", count: 4000)

  private static func fill(_ log: MemoryLog, _ numbers: Range<Int>) async throws {
    for number in numbers {
      let key = "k\(number % 10)"
      let message = Message(
        id: "\(number)", contentType: "text/plain", data: Array("\(key)=\(number) \(padding)".utf8))
      let record = NewRecord(
        key: EventKey.message(try ChannelName("c"), try MessageKey(key)).bytes,
        value: message.encoded)
      _ = try await log.append(
        AppendBatch([record], timestamp: Int64(number)), to: Partition(.messages, 0))
    }
  }

  @Test(arguments: [true, false])
  func `a reader that stops reading delays nobody and gets everything later, in order`(
    writesToSocket: Bool
  ) async throws {
    let log = makeLog()
    try await withServer(over: log) {
      $0.writesToSocket = writesToSocket
      $0.limits.slowReaderBytesMax = 64 << 10
      $0.limits.recentBytesMax = 64 << 20
    } _: { server in
      let slow = try await server.stream("/v1/channels/c/events", receiveBuffer: 4096)
      try await slow.waitUntilLive()
      try await slow.connection.setReading(false)
      let quick = try await server.stream("/v1/channels/c/events")
      try await quick.waitUntilLive()
      // More than the kernel takes for a connection on this machine.
      try await SlowReaderTests.fill(log, 0..<1000)
      try await quick.connection.wait(for: "k9=999 ")
      #expect(!slow.connection.text.contains("k9=999 "))
      try await slow.connection.setReading(true)
      try await slow.connection.wait(for: "k9=999 ")
      for stream in [slow, quick] {
        try await stream.wait("the last block") { $0.contains { $0.text.hasPrefix("k9=999 ") } }
        let numbers = stream.blocks.filter { $0.event == "message" && $0.isMessage }.compactMap {
          Int($0.text.split(separator: "=")[1].split(separator: " ")[0])
        }
        #expect(numbers == Array(0..<1000))
      }
      // It is live again.
      try await server.publish("c", "again=1 ", key: "again")
      try await slow.connection.wait(for: "again=1")
    }
  }

  @Test func `a reader that falls out of the window is given the state, and told so`()
    async throws
  {
    let log = makeLog()
    try await withServer(over: log) {
      $0.limits.slowReaderBytesMax = 64 << 10
      $0.limits.recentBytesMax = 256 << 10
    } _: { server in
      let slow = try await server.stream("/v1/channels/c/events", receiveBuffer: 4096)
      try await slow.waitUntilLive()
      try await slow.connection.setReading(false)
      let quick = try await server.stream("/v1/channels/c/events")
      try await quick.waitUntilLive()
      for start in stride(from: 0, to: 1500, by: 50) {
        try await SlowReaderTests.fill(log, start..<(start + 50))
        try await quick.connection.wait(for: "k9=\(start + 49) ")
      }
      try await server.publish("c", "end=1 ", key: "end")
      try await slow.connection.setReading(true)
      try await slow.connection.wait(for: "end=1 ")
      let blocks = try await slow.wait("live again") { blocks in
        blocks.last { $0.isMessage && $0.event != "heartbeat" }?.event == "live"
          || blocks.filter { $0.event == "live" }.count > 1
      }
      #expect(blocks.contains { $0.event == "snapshot" && $0.text.contains("\"lagged\"") })
      let state = SubscriptionLawTests.state(after: blocks)
      #expect(state.count == 11)
      for digit in 0..<10 { #expect(state["k\(digit)"]?.hasPrefix("\(1490 + digit) ") == true) }
      // Between a state and `live` there is no id.
      let lagged = try #require(blocks.lastIndex { $0.event == "snapshot" })
      let live = try #require(blocks[lagged...].firstIndex { $0.event == "live" })
      #expect(blocks[lagged..<live].allSatisfy { $0.id == nil })
      #expect(blocks[live].id != nil)
    }
  }

  @Test func `what waits for a slow reader of several channels is bounded, and it catches up`()
    async throws
  {
    let log = makeLog()
    try await withServer(over: log) {
      $0.limits.slowReaderBytesMax = 64 << 10
      $0.limits.recentBytesMax = 64 << 20
    } _: { server in
      let slow = try await server.stream("/v1/events?channel=c&channel=d", receiveBuffer: 4096)
      try await slow.waitUntilLive()
      try await slow.connection.setReading(false)
      try await SlowReaderTests.fill(log, 0..<1000)
      try await server.publish("d", "end", key: "end")
      try await slow.connection.setReading(true)
      try await slow.connection.wait(for: "\"data\":\"end\"")
      // Channels that are written together come in any order.
      try await slow.wait("all of them") { blocks in
        blocks.count { $0.event == "message" && $0.isMessage } > 1000
      }
      let keys = slow.blocks.filter { $0.event == "message" && $0.isMessage }
      #expect(keys.count == 1001)
      #expect(slow.blocks.filter { $0.event == "snapshot" }.count == 1)
    }
  }

  @Test func `a stream on a connection that was used before is the same, slow or not`()
    async throws
  {
    let log = makeLog()
    try await withServer(over: log) {
      $0.limits.slowReaderBytesMax = 64 << 10
      $0.limits.recentBytesMax = 64 << 20
      // That is for answers, not for streams.
      $0.limits.writeTimeoutSeconds = 0.1
    } _: { server in
      let connection = try await server.connect(receiveBuffer: 4096)
      #expect(try await server.request(on: connection, "GET", "/healthz").status == 200)
      let position = try await server.publish("c", "k0=first ", key: "k0").position
      _ = try await server.request("GET", "/v1/channels/c?min=\(position)")
      try await connection.send("GET /v1/channels/c/events HTTP/1.1\r\nHost: t\r\n\r\n")
      try await connection.wait(for: "event: live")
      #expect(connection.text.contains("\r\nX-Accel-Buffering: no\r\n"))
      try await connection.setReading(false)
      try await SlowReaderTests.fill(log, 0..<1000)
      try await connection.setReading(true)
      try await connection.wait(for: "k9=999 \(SlowReaderTests.padding)\n\n\r\n")
      let answer = connection.received.drop { $0 != UInt8(ascii: "}") }.dropFirst()
      let numbers = TestStream.blocks(of: Array(answer)).filter {
        $0.event == "message" && $0.isMessage
      }.compactMap { Int($0.text.split(separator: "=")[1].split(separator: " ")[0]) }
      #expect(numbers == Array(0..<1000))
      await connection.close()
      try await waitUntil("the stream is forgotten") {
        try await server.request("GET", "/readyz").body.contains("\"connections\":1,")
      }
    }
  }
}
