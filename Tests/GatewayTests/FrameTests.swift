import EventStorage
import Events
import Gateway
import Testing

/// The bytes of a stream, frame by frame.
@Suite struct FrameTests {
  @Test func `the head of a stream forbids caching and buffering`() async throws {
    try await withServer(over: makeLog()) { server in
      let stream = try await server.stream("/v1/channels/news/events")
      try await stream.waitUntilLive()
      let text = stream.connection.text
      let head = text[..<(text.range(of: "\r\n\r\n")?.lowerBound ?? text.endIndex)]
      let lines = head.split(separator: "\r\n").filter { !$0.hasPrefix("Date: ") }
      #expect(
        lines == [
          "HTTP/1.1 200 OK", "Content-Type: text/event-stream",
          "Cache-Control: no-store, no-transform", "X-Accel-Buffering: no",
          "Transfer-Encoding: chunked", "Connection: close",
        ])
    }
  }

  @Test(arguments: [
    ("text/plain", "a\nb\r\nc\rd", "data: a\ndata: b\ndata: c\ndata: d\n\n"),
    ("text/plain", "", "data: \n\n"),
    ("text/plain", "\n", "data: \ndata: \n\n"),
    ("text/plain; charset=utf-8", " é", "data:  é\n\n"),
    ("application/json", "{\"a\": 1}", "data: {\"a\": 1}\n\n"),
    ("application/geo+json", "[1,\n2]", "data: [1,\ndata: 2]\n\n"),
    ("application/octet-stream", "abcd", "data: YWJjZA==\n\n"),
    ("image/png", "ab", "data: YWI=\n\n"),
  ])
  func `data is the payload, text and JSON as they are, the rest in base64`(
    type: String, payload: String, frame: String
  ) async throws {
    try await withServer(over: makeLog()) { server in
      let stream = try await server.stream("/v1/channels/c/events")
      try await stream.waitUntilLive()
      let position = try await server.publish("c", payload, key: "k", type: type).position
      try await stream.wait(forMessages: 3)
      let live = String(
        decoding: TestStream.body(of: stream.connection.received).body, as: UTF8.self)
      #expect(live.hasSuffix("\n\nid: \(position)\n\(frame)"))
      // The state of the channel gives the same data.
      let late = try await server.stream("/v1/channels/c/events")
      try await late.waitUntilLive()
      let state = String(
        decoding: TestStream.body(of: late.connection.received).body, as: UTF8.self)
      #expect(
        state.contains("\"}\n\n\(frame)event: live\n") || state.contains("\"}\n\n\(frame)id: "))
    }
  }

  @Test func `an envelope is a JSON object with what is known of the message`() async throws {
    try await withServer(over: makeLog()) { server in
      let stream = try await server.stream("/v1/channels/a%20b/events?envelope=true")
      try await stream.waitUntilLive()
      let json = try await server.publish(
        "a%20b", "{\"x\":[1]}", key: "q\"", type: "application/json")
      let text = try await server.publish("a%20b", "é\"\n", key: "t")
      let other = try await server.publish("a%20b", "ab", key: "o", type: "")
      _ = try await server.request("DELETE", "/v1/channels/a%20b/messages/t")
      let messages = try await stream.wait(forMessages: 6)
      let times = messages[2...4].map { message in
        String(message.text.split(separator: "\"time\":\"")[1].prefix(24))
      }
      for time in times { #expect(time.wholeMatch(of: timePattern) != nil) }
      let start = "{\"channel\":\"a b\",\"key\":"
      #expect(
        messages[2...5].map(\.text) == [
          start + "\"q\\\"\",\"id\":\"\(json.member("id") ?? "")\",\"time\":\"\(times[0])\","
            + "\"contentType\":\"application/json\",\"data\":{\"x\":[1]}}",
          start + "\"t\",\"id\":\"\(text.member("id") ?? "")\",\"time\":\"\(times[1])\","
            + "\"contentType\":\"text/plain\",\"data\":\"é\\\"\\n\"}",
          start + "\"o\",\"id\":\"\(other.member("id") ?? "")\",\"time\":\"\(times[2])\","
            + "\"contentType\":\"application/octet-stream\",\"encoding\":\"base64\",\"data\":\"YWI=\"}",
          "{\"channel\":\"a b\",\"key\":\"t\"}",
        ])
      #expect(messages[5].event == "delete")
    }
  }

  @Test func `what other writers call JSON or text is looked at before it is embedded`()
    async throws
  {
    let log = makeLog()
    let channel = try ChannelName("c")
    func append(_ key: String, _ type: String, _ data: [UInt8]) async throws {
      let message = Message(id: key, contentType: type, data: data)
      let record = NewRecord(
        key: EventKey.message(channel, try MessageKey(key)).bytes, value: message.encoded)
      _ = try await log.append(
        AppendBatch([record], timestamp: 1000), to: Partition(.messages, 0))
    }
    try await append("a", "application/json", Array("{broken".utf8))
    try await append("b", "text/plain", [0xff, 0x61])
    try await withServer(over: log) { server in
      try await waitUntilReady(server)
      let stream = try await server.stream("/v1/channels/c/events?envelope=true")
      let messages = try await stream.waitUntilLive().filter(\.isMessage)
      let start = "\"time\":\"1970-01-01T00:00:01.000Z\",\"contentType\":"
      #expect(messages[1].text.hasSuffix(start + "\"application/json\",\"data\":\"{broken\"}"))
      #expect(
        messages[2].text.hasSuffix(
          start + "\"text/plain\",\"encoding\":\"base64\",\"data\":\"/2E=\"}"))
    }
  }

  @Test func `a deletion is an event with the key`() async throws {
    try await withServer(over: makeLog()) { server in
      let stream = try await server.stream("/v1/channels/c/events")
      try await stream.waitUntilLive()
      try await server.publish("c", "x", key: "a/b")
      let deleted = try await server.request("DELETE", "/v1/channels/c/messages/a%2Fb")
      #expect(deleted.status == 200)
      let messages = try await stream.wait(forMessages: 4)
      #expect(messages[3] == StreamBlock(event: "delete", data: ["a/b"], id: deleted.position))
    }
  }

  @Test func `records that are no messages are passed over`() async throws {
    let log = makeLog()
    let partition = Partition(.messages, 0)
    let key = EventKey.message(try ChannelName("c"), try MessageKey("k")).bytes
    for value: [UInt8] in [[0xff], [0x9a, 0x06, 0x00], []] {
      _ = try await log.append(
        AppendBatch([NewRecord(key: key, value: value)], timestamp: 1), to: partition)
    }
    _ = try await log.append(
      AppendBatch([NewRecord(key: [1, 2], value: nil)], timestamp: 1), to: partition)
    try await withServer(over: log) { server in
      try await waitUntilReady(server)
      let token = testPosition([partition: .zero])
      let stream = try await server.stream("/v1/channels/c/events", lastEventID: token)
      #expect(
        try await stream.waitUntilLive().filter(\.isMessage).map(\.event) == ["resumed", "live"])
      try await server.publish("c", "x", key: "k")
      #expect(try await stream.wait(forMessages: 3).last?.text == "x")
    }
  }
}

nonisolated(unsafe) private let timePattern = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/

/// Waits until the folds of a server have read what was in the log.
func waitUntilReady(_ server: TestServer) async throws {
  try await waitUntil("ready") {
    try await server.request("GET", "/readyz").status == 200
  }
}
