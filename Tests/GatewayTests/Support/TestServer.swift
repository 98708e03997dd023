import EventStorage
import Events
import Gateway
import Logging
import NIOCore
import Projections
import ServiceLifecycle
import Synchronization

/// Runs a real gateway on a free port of 127.0.0.1 while `body` runs, then shuts it down and waits until it is gone.
func withServer<Log: EventLog, Value: Sendable>(
  over log: Log, starts: [Partition: GatewayServer<Log>.Start] = [:],
  _ configure: (inout GatewayConfiguration) -> Void = { _ in },
  _ body: @Sendable (TestServer) async throws -> Value
) async throws -> Value {
  var configuration = GatewayConfiguration(loops: 2)
  configuration.port = 0
  configuration.drainSpreadMilliseconds = 300
  // Tests of time-outs set their own; the others must not fail because the machine is busy.
  configuration.limits.headerTimeoutSeconds = 300
  configuration.limits.idleTimeoutSeconds = 300
  configuration.limits.bodyTimeoutSeconds = 300
  configure(&configuration)
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  let (ports, listening) = AsyncStream.makeStream(of: Int.self)
  let gateway = try GatewayServer(
    log: log, configuration: configuration, start: { starts[$0] }, logger: logger,
    onListening: { port in listening.yield(port) })
  let services = ServiceGroup(
    configuration: ServiceGroupConfiguration(services: [gateway], logger: logger))
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      defer { listening.finish() }
      try await services.run()
    }
    var iterator = ports.makeAsyncIterator()
    guard let port = await iterator.next() else {
      try await group.waitForAll()
      throw TestConnection.TimedOut(description: "the server never listened")
    }
    let result: Result<Value, any Error>
    do {
      result = .success(try await body(TestServer(port: port, services: services)))
    } catch {
      result = .failure(error)
    }
    await services.triggerGracefulShutdown()
    try await group.waitForAll()
    return try result.get()
  }
}

/// A gateway that is being tested, by its port.
struct TestServer: Sendable {
  let port: Int
  let services: ServiceGroup

  func connect(receiveBuffer: Int? = nil, greeting: String = "") async throws -> TestConnection {
    try await TestConnection(port: port, receiveBuffer: receiveBuffer, greeting: greeting)
  }

  /// One request on a connection of its own.
  func request(
    _ method: String, _ target: String, headers: [String] = [], body: [UInt8] = []
  ) async throws -> TestResponse {
    let connection = try await connect()
    defer { connection.channel.close(promise: nil) }
    return try await request(on: connection, method, target, headers: headers, body: body)
  }

  /// One request on a connection that is kept.
  func request(
    on connection: TestConnection, _ method: String, _ target: String, headers: [String] = [],
    body: [UInt8] = []
  ) async throws -> TestResponse {
    let before = connection.received.count
    var head = "\(method) \(target) HTTP/1.1\r\nHost: test\r\n"
    for header in headers { head += header + "\r\n" }
    if !body.isEmpty || method == "POST" { head += "Content-Length: \(body.count)\r\n" }
    try await connection.send(Array((head + "\r\n").utf8) + body)
    try await connection.wait("answer to \(method) \(target)") { _ in
      TestResponse(connection.received.dropFirst(before)) != nil
    }
    guard let response = TestResponse(connection.received.dropFirst(before)) else {
      throw TestConnection.TimedOut(description: "no answer")
    }
    return response
  }

  @discardableResult
  func publish(
    _ channel: String, _ text: String, key: String? = nil, type: String = "text/plain",
    headers: [String] = []
  ) async throws -> TestResponse {
    var all = headers + ["Content-Type: \(type)"]
    if let key { all.append("Signalbox-Key: \(key)") }
    return try await request(
      "POST", "/v1/channels/\(channel)/messages", headers: all, body: Array(text.utf8))
  }

  /// A stream on a connection of its own.
  func stream(
    _ target: String, lastEventID: String? = nil, receiveBuffer: Int? = nil
  ) async throws -> TestStream {
    let connection = try await connect(receiveBuffer: receiveBuffer)
    let header = lastEventID.map { "Last-Event-ID: \($0)\r\n" } ?? ""
    try await connection.send("GET \(target) HTTP/1.1\r\nHost: test\r\n\(header)\r\n")
    return TestStream(connection: connection)
  }
}

/// The answer to a request.
struct TestResponse: Sendable {
  var status: Int
  var headers: [String: String]
  var body: String

  /// Nil while it is not complete.
  init?(_ bytes: some Collection<UInt8>) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n") else { return nil }
    let lines = text[..<end.lowerBound].split(separator: "\r\n")
    guard let code = lines.first?.split(separator: " ").dropFirst().first, let status = Int(code)
    else { return nil }
    self.status = status
    headers = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { return nil }
      headers[line[..<colon].lowercased()] = String(
        line[line.index(after: colon)...].drop { $0 == " " })
    }
    body = String(text[end.upperBound...])
    let length = headers["content-length"].flatMap { Int($0) } ?? 0
    guard body.utf8.count >= length else { return nil }
  }

  /// The value of a string member of a JSON body without escapes.
  func member(_ name: String) -> String? {
    guard let start = body.range(of: "\"\(name)\":\"") else { return nil }
    return String(body[start.upperBound...].prefix { $0 != "\"" })
  }
}

extension String {
  func range(of other: String) -> Range<String.Index>? {
    firstRange(of: other)
  }
}

func makeLog(partitions: Int = 1) -> MemoryLog {
  MemoryLog(identity: LogIdentity(0x1122_3344_5566_7788), layout: LogLayout(partitions: partitions))
}

extension TestResponse {
  /// The position that a write or a read answered.
  var position: String { member("position") ?? "no position in \(body)" }
}

/// A token of the log that `makeLog` makes.
func testPosition(_ offsets: [Partition: Offset]) -> String {
  Position(log: LogIdentity(0x1122_3344_5566_7788), offsets: offsets).token
}

/// Asks again until it is so.
func waitUntil(
  _ what: String, seconds: Double = 20, _ condition: () async throws -> Bool
) async throws {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while try await !condition() {
    if ContinuousClock.now > deadline {
      throw TestConnection.TimedOut(description: "not in time: \(what)")
    }
    await Task.yield()
  }
}
