import EventStorage
import Gateway
import NIOCore
import Testing

/// Writing, and what is refused (issue 2, "Bad input").
@Suite struct PublishTests {
  @Test func `a message without a key gets its id as key`() async throws {
    try await withServer(over: makeLog()) { server in
      let published = try await server.publish("c", "x")
      #expect(published.status == 201)
      #expect(published.headers["content-type"] == "application/json")
      #expect(published.headers["date"] != nil)
      let id = try #require(published.member("id"))
      #expect(id.count == 26)
      #expect(published.member("key") == id)
      #expect(published.member("channel") == "c")
      let other = try await server.publish("c", "x")
      #expect(other.member("id") != id)
      #expect(other.position != published.position)
    }
  }

  @Test func `publishing again with an idempotency key answers the first position (law 18)`()
    async throws
  {
    try await withServer(over: makeLog()) { server in
      let headers = ["Idempotency-Key: order-17"]
      let first = try await server.publish("c", "x", headers: headers)
      try await server.publish("c", "between")
      let again = try await server.publish("c", "x", headers: headers)
      #expect(first.status == 201)
      #expect(again.status == 200)
      #expect(again.body == first.body)
      let elsewhere = try await server.publish("d", "x", headers: headers)
      #expect(elsewhere.status == 201)
      #expect(elsewhere.member("id") != first.member("id"))
      let read = try await server.request("GET", "/v1/channels/c?min=\(elsewhere.position)")
      #expect(read.body.split(separator: "\"key\":").count == 3)
    }
  }

  @Test func `an idempotency key counts for one operation on one key`() async throws {
    try await withServer(over: makeLog()) { server in
      let headers = ["Idempotency-Key: x"]
      let first = try await server.publish("c", "one", key: "a", headers: headers)
      // Another key, or a deletion, under the same value is another request, and is not answered with what it did not do.
      let other = try await server.publish("c", "two", key: "b", headers: headers)
      #expect(other.status == 201)
      #expect(other.member("id") != first.member("id"))
      let own = try await server.publish("c", "three", headers: headers)
      #expect(own.status == 201)
      let deleted = try await server.request(
        "DELETE", "/v1/channels/c/messages/a", headers: headers)
      #expect(deleted.position != first.position)
      let read = try await server.request("GET", "/v1/channels/c?min=\(deleted.position)")
      #expect(!read.body.contains("\"key\":\"a\"") && read.body.contains("\"key\":\"b\""))
      // Each of them is repeated for itself. What a repetition carries is not looked at: the first stands.
      let again = try await server.publish("c", "changed", key: "b", headers: headers)
      #expect(again.status == 200)
      #expect(again.body == other.body)
      let gone = try await server.request(
        "DELETE", "/v1/channels/c/messages/a", headers: headers)
      #expect(gone.body == deleted.body)
      let keyless = try await server.publish("c", "three", headers: headers)
      #expect(keyless.status == 200 && keyless.body == own.body)
    }
  }

  @Test func `a message expires when its time to live is over, also when nothing else happens`()
    async throws
  {
    try await withServer(over: makeLog()) { server in
      let stream = try await server.stream("/v1/channels/c/events")
      try await stream.waitUntilLive()
      let envelope = try await server.stream("/v1/channels/c/events?envelope=true")
      try await envelope.waitUntilLive()
      let published = try await server.publish("c", "x", key: "k", headers: ["Signalbox-TTL: 1"])
      let messages = try await stream.wait(forMessages: 4)
      #expect(messages[2].text == "x")
      #expect(messages[3].event == "delete")
      #expect(messages[3].text == "k")
      let deleted = try #require(messages[3].id)
      #expect(
        try await envelope.wait(forMessages: 4)[3].text == "{\"channel\":\"c\",\"key\":\"k\"}")
      let read = try await server.request("GET", "/v1/channels/c")
      #expect(read.body == "{\"channel\":\"c\",\"position\":\"\(deleted)\",\"messages\":[]}")
      // Whoever was away when the key expired hears of it.
      let away = try await server.stream(
        "/v1/channels/c/events", lastEventID: published.position)
      let missed = try await away.waitUntilLive().filter(\.isMessage)
      #expect(missed.map(\.event) == ["resumed", "delete", "live"])
      #expect(missed[1].id == deleted)
    }
  }

  @Test(
    arguments: [
      ("POST", "/v1/channels/a%00b/messages", [], "x", 400, "name-control-character"),
      (
        "POST", "/v1/channels/\(String(repeating: "n", count: 256))/messages", [], "x", 400,
        "name-too-long"
      ),
      ("POST", "/v1/channels/a%2/messages", [], "x", 400, "percent-encoding"),
      ("POST", "/v1/channels/a%ff/messages", [], "x", 400, "not-utf-8"),
      ("POST", "/v1/channels/c/messages", ["Signalbox-Key: "], "x", 400, "name-empty"),
      (
        "POST", "/v1/channels/c/messages", ["Signalbox-Key: \(String(repeating: "k", count: 513))"],
        "x", 400, "name-too-long"
      ),
      (
        "POST", "/v1/channels/c/messages",
        ["Idempotency-Key: \(String(repeating: "k", count: 256))"], "x", 400,
        "header-value-too-long"
      ),
      ("POST", "/v1/channels/c/messages", ["Idempotency-Key: "], "x", 400, "header-value-empty"),
      ("POST", "/v1/channels/c/messages", ["Signalbox-TTL: 0"], "x", 400, "time-to-live"),
      ("POST", "/v1/channels/c/messages", ["Signalbox-TTL: -1"], "x", 400, "time-to-live"),
      ("POST", "/v1/channels/c/messages", ["Signalbox-TTL: 1.5"], "x", 400, "time-to-live"),
      (
        "POST", "/v1/channels/c/messages", ["Signalbox-TTL: 99999999999999999999"], "x", 400,
        "time-to-live"
      ),
      (
        "POST", "/v1/channels/c/messages", ["Content-Type: \(String(repeating: "t", count: 256))"],
        "x", 400, "header-value-too-long"
      ),
      (
        "POST", "/v1/channels/c/messages", ["Content-Type: application/json"], "{\"a\":}", 400,
        "malformed-json"
      ),
      (
        "POST", "/v1/channels/c/messages", ["Content-Type: application/json"], "", 400,
        "malformed-json"
      ),
      (
        "POST", "/v1/channels/c/messages", [], String(repeating: "x", count: 1001), 413,
        "body-too-large"
      ),
      ("DELETE", "/v1/channels/c/messages/a%01", [], "", 400, "name-control-character"),
      (
        "DELETE", "/v1/channels/c/messages/\(String(repeating: "k", count: 513))", [], "", 400,
        "name-too-long"
      ),
      ("GET", "/v1/channels/a%7f", [], "", 400, "name-control-character"),
      ("GET", "/v1/channels/c?min=nonsense", [], "", 400, "malformed-position"),
      ("GET", "/v1/channels/c?min=_w", [], "", 400, "malformed-position"),
      ("GET", "/v1/channels/c?min=\(foreignToken)", [], "", 409, "other-log"),
      ("GET", "/v1/channels/c?min=\(testPosition([:]))&wait=x", [], "", 400, "wait"),
      ("GET", "/v1/channels/c?min=\(testPosition([:]))&wait=-1", [], "", 400, "wait"),
      ("GET", "/v1/channels/a%ff/events", [], "", 400, "not-utf-8"),
      ("GET", "/v1/channels//events", [], "", 400, "name-empty"),
      ("GET", "/v1/events", [], "", 400, "no-channels"),
      (
        "GET", "/v1/events?channel=a&channel=b&channel=c&channel=d", [], "", 400,
        "too-many-channels"
      ),
      ("GET", "/v1/events?channel=", [], "", 400, "name-empty"),
      ("GET", "/nowhere", [], "", 404, "not-found"),
      ("GET", "/", [], "", 404, "not-found"),
      ("PUT", "/v1/channels/c/messages", [], "", 405, "method-not-allowed"),
      ("POST", "/v1/channels/c/events", [], "x", 405, "method-not-allowed"),
      ("DELETE", "/healthz", [], "", 405, "method-not-allowed"),
    ] as [(String, String, [String], String, Int, String)])
  func `bad input is refused with a problem document`(
    method: String, target: String, headers: [String], body: String, status: Int, code: String
  ) async throws {
    let log = makeLog()
    try await withServer(over: log) {
      $0.limits.bodyBytesMax = 1000
      $0.limits.channelsPerStreamMax = 3
    } _: { server in
      let answer = try await server.request(
        method, target, headers: headers, body: Array(body.utf8))
      #expect(answer.status == status)
      #expect(answer.headers["content-type"] == "application/problem+json")
      #expect(answer.member("type") == "urn:signalbox:problem:\(code)")
      #expect(answer.member("title") != nil)
      #expect(answer.member("detail") != nil)
      #expect(answer.body.contains("\"status\":\(status),"))
      if status == 405 { #expect(answer.headers["allow"]?.hasSuffix(", OPTIONS") == true) }
      #expect(try log.bounds(of: Partition(.messages, 0)).end == .zero)
    }
  }

  @Test func `malformed JSON is refused with its place`() async throws {
    try await withServer(over: makeLog()) { server in
      let answer = try await server.publish("c", "{\"a\": tru}", type: "application/json")
      #expect(answer.body.contains("\"offset\":6"))
      #expect(answer.member("detail")?.hasPrefix("At byte 6: expected a value.") == true)
    }
  }

  @Test func `text that is not UTF-8 is refused`() async throws {
    try await withServer(over: makeLog()) { server in
      let answer = try await server.request(
        "POST", "/v1/channels/c/messages", headers: ["Content-Type: text/plain"],
        body: [0x61, 0xff])
      #expect(answer.status == 400)
      #expect(answer.member("type") == "urn:signalbox:problem:not-utf-8")
    }
  }

  @Test func `a body without a length is cut off at the limit`() async throws {
    try await withServer(over: makeLog()) {
      $0.limits.bodyBytesMax = 1000
    } _: { server in
      let connection = try await server.connect()
      try await connection.send(
        "POST /v1/channels/c/messages HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n")
      let chunk = "1f4\r\n" + String(repeating: "x", count: 500) + "\r\n"
      try await connection.send(chunk + chunk + chunk)
      try await connection.wait("413") { $0.contains("body-too-large") && $0.hasSuffix("}") }
      #expect(connection.text.hasPrefix("HTTP/1.1 413 "))
      try await connection.waitUntilClosed()
    }
  }

  @Test func `a client that asks first is told to continue, or not`() async throws {
    try await withServer(over: makeLog()) { server in
      let connection = try await server.connect()
      try await connection.send(
        "POST /v1/channels/c/messages HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n"
          + "Expect: 100-continue\r\n\r\n")
      try await connection.wait("100") { $0.hasPrefix("HTTP/1.1 100 Continue\r\n\r\n") }
      try await connection.send("x")
      try await connection.wait("201") { $0.contains("HTTP/1.1 201 ") }
      let other = try await server.connect()
      try await other.send(
        "POST /v1/channels/c/messages HTTP/1.1\r\nHost: t\r\nContent-Length: 2000000\r\n"
          + "Expect: 100-continue\r\n\r\n")
      try await other.wait("413") { $0.hasPrefix("HTTP/1.1 413 ") }
    }
  }

  @Test(arguments: [
    (LogError.full(detail: "disk"), 507, "log-full"),
    (LogError.stopped(detail: "fsync"), 503, "log-stopped"),
    (LogError.closed, 503, "log-stopped"),
    (
      LogError.tooLarge(what: "bytes that wait", size: 1, limit: LogLimits.pendingBytesMax), 503,
      "log-busy"
    ),
    (LogError.tooLarge(what: "a record", size: 9, limit: 8), 413, "record-too-large"),
  ])
  func `a log that refuses is a problem document, and nothing is acknowledged`(
    error: LogError, status: Int, code: String
  ) async throws {
    try await withServer(over: RefusingLog(error)) { server in
      let answer = try await server.publish("c", "x")
      #expect(answer.status == status)
      #expect(answer.member("type") == "urn:signalbox:problem:\(code)")
      #expect((answer.headers["retry-after"] != nil) == (status == 503))
      let isReady = try await server.request("GET", "/readyz").status == 200
      #expect(isReady == !error.isStop)
    }
  }
}

private let foreignToken = Position(log: LogIdentity(5), offsets: [:]).token
