import EventStorage
import Gateway
import NIOCore
import ServiceLifecycle
import Testing

/// Connections: time-outs, heads, limits, and their end.
@Suite struct ConnectionTests {
  @Test func `a head that does not arrive in time is refused`() async throws {
    try await withServer(over: makeLog()) {
      $0.limits.headerTimeoutSeconds = 0.2
    } _: { server in
      let connection = try await server.connect(greeting: "GET /healthz HTTP/1.1\r\nHost:")
      try await connection.wait("408") {
        $0.hasPrefix("HTTP/1.1 408 ") && $0.contains("head-timeout")
      }
      try await connection.waitUntilClosed()
    }
  }

  @Test func `an idle connection is closed, a stream is not`() async throws {
    try await withServer(over: makeLog()) {
      $0.limits.idleTimeoutSeconds = 0.3
    } _: { server in
      let stream = try await server.stream("/v1/channels/c/events")
      try await stream.waitUntilLive()
      let connection = try await server.connect()
      #expect(try await server.request(on: connection, "GET", "/healthz").status == 200)
      try await connection.waitUntilClosed()
      let trickling = try await server.connect(
        greeting: "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\nGET /healthz HTTP/1.1\r\nHo")
      try await trickling.waitUntilClosed()
      #expect(trickling.text.hasPrefix("HTTP/1.1 200 "))
      #expect(!stream.connection.isClosed)
      try await server.publish("c", "x")
      try await stream.wait(forMessages: 3)
    }
  }

  @Test func `a body that does not arrive in time is refused, and the connection closed`()
    async throws
  {
    try await withServer(over: makeLog()) {
      $0.limits.bodyTimeoutSeconds = 0.2
      $0.cors = .any
    } _: { server in
      let connection = try await server.connect(
        greeting:
          "POST /v1/channels/c/messages HTTP/1.1\r\nHost: t\r\nOrigin: https://a.example\r\n"
          + "Content-Length: 10\r\n\r\nab")
      try await connection.wait("408") {
        $0.hasPrefix("HTTP/1.1 408 ") && $0.contains("body-timeout")
      }
      #expect(connection.text.contains("\r\nAccess-Control-Allow-Origin: *\r\n"))
      try await connection.waitUntilClosed()
      #expect(connection.text.ranges(of: "HTTP/1.1 ").count == 1)
    }
  }

  @Test func `a later head that does not arrive in time is refused, silence is not`() async throws {
    try await withServer(over: makeLog()) {
      $0.limits.idleTimeoutSeconds = 1
    } _: { server in
      let silent = try await server.connect(greeting: "GET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
      let trickling = try await server.connect()
      #expect(try await server.request(on: trickling, "GET", "/healthz").status == 200)
      try await trickling.send("GET /healthz HTTP/1.1\r\nHo")
      try await silent.waitUntilClosed()
      #expect(!silent.text.contains("HTTP/1.1 408 "))
      try await trickling.waitUntilClosed()
      #expect(trickling.text.contains("HTTP/1.1 408 ") && trickling.text.contains("head-timeout"))
    }
  }

  /// Makes a channel whose state is more than the kernel takes for a connection on this machine.
  private func fill(_ channel: String, _ server: TestServer) async throws {
    let text = String(repeating: "x", count: 1 << 20)
    var position = ""
    for number in 0..<16 {
      position = try await server.publish(channel, text, key: "\(number)").position
    }
    _ = try await server.request("GET", "/v1/channels/none?min=\(position)")
  }

  @Test func `an answer that is under way is read to its end while the server drains`()
    async throws
  {
    let slow = try await withServer(over: makeLog()) { server in
      try await fill("c", server)
      let slow = try await server.connect(receiveBuffer: 4096)
      try await slow.send("GET /v1/channels/c HTTP/1.1\r\nHost: t\r\n\r\n")
      try await slow.wait("head") { $0.hasPrefix("HTTP/1.1 200 ") }
      try await slow.setReading(false)
      await server.services.triggerGracefulShutdown()
      try await Task.sleep(for: .milliseconds(300))
      try await slow.setReading(true)
      try await slow.wait(for: "\"key\":\"15\"")
      return slow
    }
    try await slow.waitUntilClosed()
    #expect(slow.received.last == UInt8(ascii: "}"))
  }

  @Test func `a client that takes nothing of its answer is let go, one that takes its time is not`()
    async throws
  {
    try await withServer(over: makeLog()) {
      // Far longer: one that has read everything is idle, and must not be the first to go.
      $0.limits.idleTimeoutSeconds = 30
      $0.limits.writeTimeoutSeconds = 3
    } _: { server in
      try await fill("c", server)
      let slow = try await server.connect(receiveBuffer: 4096)
      try await slow.send("GET /v1/channels/c HTTP/1.1\r\nHost: t\r\n\r\n")
      try await slow.wait("head") { $0.hasPrefix("HTTP/1.1 200 ") }
      let stuck = try await server.connect(receiveBuffer: 4096)
      try await stuck.setReading(false)
      try await stuck.send("GET /v1/channels/c HTTP/1.1\r\nHost: t\r\n\r\n")
      try await waitUntil("one is gone", seconds: 60) {
        try await slow.setReading(false)
        try await Task.sleep(for: .milliseconds(100))
        try await slow.setReading(true)
        return try await server.request("GET", "/readyz").body.contains("\"connections\":2,")
      }
      try await slow.wait(for: "\"key\":\"15\"")
      // It is closed behind what the kernel had taken.
      try? await stuck.setReading(true)
      try await stuck.waitUntilClosed()
      #expect(stuck.received.count < 16 << 20)
    }
  }

  @Test func `a head that is too large is refused, also a later one`() async throws {
    try await withServer(over: makeLog()) {
      $0.limits.headerBytesMax = 1000
    } _: { server in
      let filler = "X-Filler: \(String(repeating: "x", count: 1200))"
      let first = try await server.request("GET", "/healthz", headers: [filler])
      #expect(first.status == 431)
      #expect(first.member("type") == "urn:signalbox:problem:head-too-large")
      let connection = try await server.connect()
      #expect(try await server.request(on: connection, "GET", "/healthz").status == 200)
      let later = try await server.request(on: connection, "GET", "/healthz", headers: [filler])
      #expect(later.status == 431)
      #expect(later.member("type") == "urn:signalbox:problem:head-too-large")
      try await connection.waitUntilClosed()
    }
  }

  @Test(arguments: ["/healthz", "/v1/channels/c/events"])
  func `a head with too many fields is refused, on a stream too`(target: String) async throws {
    try await withServer(over: makeLog()) {
      $0.limits.headerFieldsMax = 10
      $0.cors = .origins(["https://a.example"])
    } _: { server in
      for (count, isRefused) in [(10, false), (11, true)] {
        let fields = (2..<count).map { "X-\($0): y\r\n" }.joined()
        let connection = try await server.connect(
          greeting:
            "GET \(target) HTTP/1.1\r\nHost: t\r\nOrigin: https://a.example\r\n\(fields)\r\n")
        try await connection.wait("answer") {
          $0.contains("alive") || $0.contains("event: live") || $0.contains("head-too-large")
        }
        #expect(connection.text.hasPrefix("HTTP/1.1 431 ") == isRefused, "\(count) fields")
        if target != "/healthz" {
          #expect(
            connection.text.contains(
              "\r\nAccess-Control-Allow-Origin: https://a.example\r\n"))
        }
        await connection.close()
      }
    }
  }

  @Test func `what is refused before it is a request says so to pages that may read it`()
    async throws
  {
    try await withServer(over: makeLog()) {
      $0.limits.headerTimeoutSeconds = 0.2
      $0.limits.headerBytesMax = 1000
      $0.limits.connectionsMax = 1
      $0.cors = .origins(["https://a.example"])
    } _: { server in
      let stream = try await server.stream("/v1/channels/c/events")
      try await stream.waitUntilLive()
      let origin = "Host: t\r\nOrigin: https://a.example\r\n"
      let filler = "X-Filler: \(String(repeating: "x", count: 1200))\r\n\r\n"
      for (rest, status) in [("X", 408), (filler, 431), ("\r\n", 503)] {
        let connection = try await server.connect(
          greeting: "GET /healthz HTTP/1.1\r\n\(origin)\(rest)")
        try await connection.wait("\(status)") { $0.hasPrefix("HTTP/1.1 \(status) ") }
        #expect(
          connection.text.contains("\r\nAccess-Control-Allow-Origin: https://a.example\r\n"),
          "\(status)")
        try await connection.waitUntilClosed()
      }
      let stranger = try await server.connect(
        greeting: "GET /healthz HTTP/1.1\r\nHost: t\r\nOrigin: https://b.example\r\n\r\n")
      try await stranger.wait("503") { $0.hasPrefix("HTTP/1.1 503 ") }
      #expect(!stranger.text.contains("Access-Control-Allow-Origin"))
    }
  }

  @Test(arguments: [
    "GET /healthz HTTP/1.1\r\nbroken header\r\n\r\n", "\u{16}\u{3}\u{1} not HTTP\r\n\r\n",
    "GET  /v1/channels/c/events HTTP/1.1\r\nHost t\r\n\r\n",
    "POST /v1/channels/c/messages HTTP/1.1\r\nHost: t\r\nContent-Length: x\r\n\r\n",
  ])
  func `what is not HTTP is refused as malformed`(bytes: String) async throws {
    try await withServer(over: makeLog()) { server in
      let connection = try await server.connect()
      try await connection.send(bytes)
      try await connection.wait("400") {
        $0.hasPrefix("HTTP/1.1 400 ") && $0.contains("malformed-request")
      }
      try await connection.waitUntilClosed()
    }
  }

  @Test func `a head may arrive byte by byte`() async throws {
    try await withServer(over: makeLog()) { server in
      for target in ["/healthz", "/v1/channels/c/events"] {
        let connection = try await server.connect()
        for byte in "GET \(target) HTTP/1.1\r\nHost: t\r\n\r\n".utf8 {
          try await connection.send([byte])
        }
        try await connection.wait("answer") { $0.contains("alive") || $0.contains("event: live") }
        await connection.close()
      }
    }
  }

  @Test func `more connections than allowed are sent away, streams with a time to come back`()
    async throws
  {
    try await withServer(over: makeLog()) {
      $0.limits.connectionsMax = 2
      $0.limits.refusalsMax = 2
    } _: { server in
      let first = try await server.stream("/v1/channels/c/events")
      try await first.waitUntilLive()
      let second = try await server.stream("/v1/channels/c/events")
      try await second.waitUntilLive()
      let refused = try await server.connect()
      let answer = try await server.request(on: refused, "GET", "/healthz")
      #expect(answer.status == 503)
      #expect(answer.member("type") == "urn:signalbox:problem:too-many-connections")
      #expect(answer.headers["retry-after"] != nil)
      try await refused.waitUntilClosed()
      let third = try await server.stream("/v1/channels/c/events")
      try await third.connection.wait("end") { $0.hasSuffix("0\r\n\r\n") }
      #expect(third.blocks.contains { $0.retry != nil })
      #expect(third.messages.isEmpty)
      #expect(third.connection.text.hasPrefix("HTTP/1.1 200 "))
      first.close()
      try await waitUntil("room") {
        let again = try await server.connect()
        defer { again.channel.close(promise: nil) }
        return try await server.request(on: again, "GET", "/healthz").status == 200
      }
    }
  }

  @Test func `draining ends every stream with a time to come back of its own`() async throws {
    let log = makeLog()
    let streams = try await withServer(over: log) { server in
      var streams: [TestStream] = []
      for _ in 0..<20 { streams.append(try await server.stream("/v1/channels/c/events")) }
      let kept = try await server.connect()
      #expect(try await server.request(on: kept, "GET", "/healthz").status == 200)
      try await kept.send("GET /v1/channels/c/events HTTP/1.1\r\nHost: t\r\n\r\n")
      try await kept.wait("live") { $0.contains("event: live") }
      for stream in streams { try await stream.waitUntilLive() }
      await server.services.triggerGracefulShutdown()
      for stream in streams {
        try await stream.connection.wait("end") { $0.hasSuffix("0\r\n\r\n") }
      }
      try await kept.wait("end") { $0.hasSuffix("0\r\n\r\n") && $0.contains(": draining") }
      for stream in streams { try await stream.connection.waitUntilClosed() }
      try await kept.waitUntilClosed()
      return streams
    }
    var retries: Set<String> = []
    for stream in streams {
      let last = stream.blocks.suffix(1)
      #expect(last.first?.comments == ["draining"])
      if let retry = last.first?.retry { retries.insert(retry) }
      #expect(stream.isComplete)
    }
    #expect(retries.count > 3)
  }

  @Test func `a request that does not end is cut off when the time to drain is over`()
    async throws
  {
    let connection = try await withServer(over: makeLog()) {
      $0.drainSeconds = 0.2
    } _: { server in
      let connection = try await server.connect()
      try await connection.send(
        "POST /v1/channels/c/messages HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n"
          + "Expect: 100-continue\r\n\r\n")
      try await connection.wait("100") { $0.contains("100 Continue") }
      return connection
    }
    try await connection.waitUntilClosed()
  }

  @Test func `heartbeats say how far the stream is, and move the id`() async throws {
    try await withServer(over: makeLog()) {
      $0.heartbeatSeconds = 0.1
    } _: { server in
      let stream = try await server.stream("/v1/channels/quiet/events")
      try await stream.waitUntilLive()
      let many = try await server.stream("/v1/events?channel=quiet&channel=other")
      try await many.waitUntilLive()
      let position = try await server.publish("loud", "x").position
      for stream in [stream, many] {
        let blocks = try await stream.wait("heartbeat at the new position") { blocks in
          blocks.contains { $0.event == "heartbeat" && $0.id == position }
        }
        let beat = try #require(blocks.last { $0.event == "heartbeat" })
        #expect(beat.text.hasPrefix("{\"position\":\"\(position)\",\"behind\":0,\"logTime\":\"2"))
      }
      // The id of a heartbeat resumes.
      let again = try await server.stream("/v1/channels/quiet/events", lastEventID: position)
      #expect(
        try await again.waitUntilLive().filter(\.isMessage)[0].event == "resumed")
    }
  }
}
