import EventStorage
import Gateway
import Testing

/// Reading, `min=` (law 27), health, and pages of other origins.
@Suite struct ReadTests {
  @Test func `a read with min waits for the position, and fails by its deadline (law 27)`()
    async throws
  {
    try await withServer(over: makeLog()) { server in
      let first = try await server.publish("c", "one", key: "k").position
      let ahead = testPosition([Partition(.messages, 0): Offset(2)])
      let failed = try await server.request("GET", "/v1/channels/c?min=\(ahead)&wait=0.05")
      #expect(failed.status == 504)
      #expect(failed.member("type") == "urn:signalbox:problem:position-not-reached")
      #expect(failed.position == first)
      async let waiting = server.request("GET", "/v1/channels/c?min=\(ahead)")
      let second = try await server.publish("c", "two", key: "k").position
      #expect(second == ahead)
      let read = try await waiting
      #expect(read.status == 200)
      #expect(read.body.contains("\"data\":\"two\""))
      #expect(read.position == second)
    }
  }

  @Test func `every write can be read at once with its position`() async throws {
    try await withServer(over: makeLog(partitions: 4)) { server in
      for number in 0..<50 {
        let position = try await server.publish("c\(number % 7)", "\(number)", key: "k").position
        let read = try await server.request("GET", "/v1/channels/c\(number % 7)?min=\(position)")
        #expect(read.body.contains("\"data\":\"\(number)\""))
      }
    }
  }

  @Test func `a position that says nothing of the channel's partition does not wait`()
    async throws
  {
    try await withServer(over: makeLog()) { server in
      let read = try await server.request("GET", "/v1/channels/c?min=\(testPosition([:]))")
      #expect(read.status == 200)
      #expect(read.headers["cache-control"] == "no-store")
    }
  }

  @Test func `health, readiness, and pages`() async throws {
    try await withServer(over: makeLog(partitions: 2)) {
      $0.pages = ["/": StaticPage(contentType: "text/html", bytes: Array("<p>hi".utf8))]
    } _: { server in
      try await waitUntilReady(server)
      #expect(try await server.request("GET", "/healthz").body == "{\"alive\":true}")
      let ready = try await server.request("GET", "/readyz").body
      #expect(ready.hasPrefix("{\"ready\":true,\"connections\":"))
      #expect(ready.contains("{\"partition\":\"messages/1\",\"position\":0,\"end\":0}"))
      let page = try await server.request("GET", "/")
      #expect(page.body == "<p>hi")
      #expect(page.headers["content-type"] == "text/html")
    }
  }

  @Test(arguments: ["/healthz", "/readyz", "/v1/channels/c", "/", "/nowhere"])
  func `HEAD answers as GET does, without the body, and the connection goes on`(target: String)
    async throws
  {
    try await withServer(over: makeLog()) {
      $0.pages = ["/": StaticPage(contentType: "text/html", bytes: Array("<p>hi".utf8))]
    } _: { server in
      try await waitUntilReady(server)
      try await server.publish("c", "one", key: "k")
      let get = try await server.request("GET", target)
      let connection = try await server.connect(
        greeting:
          "HEAD \(target) HTTP/1.1\r\nHost: t\r\n\r\nGET /healthz HTTP/1.1\r\nHost: t\r\n\r\n")
      let text = try await connection.wait("the next answer") { $0.hasSuffix("{\"alive\":true}") }
      #expect(text.hasPrefix("HTTP/1.1 \(get.status) "))
      let end = try #require(text.firstRange(of: "\r\n\r\n")).upperBound
      let head = text[..<end].lowercased()
      #expect(text[end...].hasPrefix("HTTP/1.1 200 "))
      #expect(head.contains("\r\ncontent-type: \(get.headers["content-type"] ?? "")\r\n"))
      #expect(head.contains("\r\ncontent-length: \(get.body.utf8.count)\r\n"))
    }
  }

  @Test func `a stream has no HEAD, and says what it has`() async throws {
    try await withServer(over: makeLog()) { server in
      let connection = try await server.connect(
        greeting: "HEAD /v1/channels/c/events HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
      try await connection.waitUntilClosed()
      #expect(connection.text.hasPrefix("HTTP/1.1 405 "))
      #expect(connection.text.contains("\r\nAllow: GET, OPTIONS\r\n"))
    }
  }

  @Test func `when the log stops, readiness says why and the rest goes on`() async throws {
    let log = makeLog()
    try await withServer(over: log) { server in
      try await waitUntilReady(server)
      log.close()
      try await waitUntil("unready") {
        try await server.request("GET", "/readyz").status == 503
      }
      let ready = try await server.request("GET", "/readyz")
      #expect(ready.body.contains("\"error\":\"the log is closed\""))
      #expect(ready.headers["retry-after"] == "1")
      #expect(try await server.request("GET", "/healthz").status == 200)
      #expect(try await server.request("GET", "/v1/channels/c").status == 200)
    }
  }

  @Test func `pages of other origins are let in as configured`() async throws {
    let origin = ["Origin: https://a.test"]
    try await withServer(over: makeLog()) { server in
      let answer = try await server.request("GET", "/v1/channels/c", headers: origin)
      #expect(answer.headers["access-control-allow-origin"] == nil)
    }
    try await withServer(over: makeLog()) {
      $0.cors = .any
    } _: { server in
      let answer = try await server.request("GET", "/v1/channels/c", headers: origin)
      #expect(answer.headers["access-control-allow-origin"] == "*")
      let refused = try await server.request("GET", "/nowhere", headers: origin)
      #expect(refused.headers["access-control-allow-origin"] == "*")
    }
    try await withServer(over: makeLog()) {
      $0.cors = .origins(["https://a.test"])
    } _: { server in
      let preflight = try await server.request(
        "OPTIONS", "/v1/channels/c/messages",
        headers: origin + ["Access-Control-Request-Method: POST"])
      #expect(preflight.status == 204)
      #expect(preflight.headers["access-control-allow-origin"] == "https://a.test")
      #expect(preflight.headers["access-control-allow-credentials"] == "true")
      #expect(preflight.headers["access-control-allow-methods"] == "POST, OPTIONS")
      #expect(
        preflight.headers["access-control-allow-headers"]?.contains("Signalbox-Key") == true)
      #expect(preflight.headers["vary"] == "Origin")
      let other = try await server.request(
        "GET", "/v1/channels/c", headers: ["Origin: https://b.test"])
      #expect(other.headers["access-control-allow-origin"] == nil)
      #expect(other.headers["vary"] == "Origin")
      let connection = try await server.connect()
      try await connection.send(
        "GET /v1/channels/c/events HTTP/1.1\r\nHost: t\r\nOrigin: https://a.test\r\n\r\n")
      try await connection.wait("head") { $0.contains("event: live") }
      #expect(connection.text.contains("\r\nAccess-Control-Allow-Origin: https://a.test\r\n"))
    }
  }
}
