import Glibc

/// What a load of publishers came to.
struct PublishResult {
  var acknowledged = 0
  var seconds = 0.0
  var latencies = Latencies()
  /// Processor seconds of the load itself.
  var clientSeconds = 0.0

  var rate: Double { Double(acknowledged) / seconds }
}

/// Connections that each publish, wait for the acknowledgement and publish again, on one thread.
final class PublishLoad<Dialect: PublishDialect> {
  private struct Connection {
    var socket: Socket
    var request: [UInt8]
    var sentAt: UInt64 = 0
    /// A reply of which only a part has come.
    var rest: [UInt8] = []
    var isReady: Bool
  }

  private let dialect: Dialect
  private let poller: Poller
  private var connections: [Connection] = []
  private var scratch = [UInt8](repeating: 0, count: 64 << 10)

  init(_ dialect: Dialect, port: UInt16, connections count: Int, payloadBytes: Int) throws {
    self.dialect = dialect
    poller = try Poller()
    for index in 0..<count {
      let socket = try Socket(connectedTo: port)
      let opening = dialect.opening(connection: index)
      connections.append(
        Connection(
          socket: socket,
          request: dialect.request(
            connection: index, payload: samplePayload(index, bytes: payloadBytes)),
          isReady: opening == nil))
      try poller.add(socket, index: index)
      if let opening { try socket.sendAll(opening) }
    }
    try waitUntilReady()
  }

  deinit { for connection in connections { connection.socket.close() } }

  private func waitUntilReady() throws {
    let deadline = wallSeconds() + 20
    while connections.contains(where: { !$0.isReady }) {
      guard wallSeconds() < deadline else { throw BenchmarkFailure("the server greets nobody") }
      try poller.wait(milliseconds: 100) { index in
        try receive(index) { _ in false }
      }
    }
  }

  /// Publishes for `seconds`, then waits for what is in flight.
  func run(seconds: Double) throws -> PublishResult {
    var result = PublishResult()
    let processor = threadSeconds()
    let start = wallNanoseconds()
    let end = start + UInt64(seconds * 1e9)
    var waiting = 0
    for index in connections.indices {
      connections[index].sentAt = wallNanoseconds()
      try connections[index].socket.sendAll(connections[index].request)
      waiting += 1
    }
    var now = start
    while waiting > 0 {
      guard now < end + 30_000_000_000 else {
        throw BenchmarkFailure("\(waiting) messages were never acknowledged")
      }
      try poller.wait(milliseconds: 1000) { index in
        try receive(index) { sentAt in
          now = wallNanoseconds()
          if now <= end {
            result.latencies.add(now - sentAt)
            result.acknowledged += 1
            return true
          }
          waiting -= 1
          return false
        }
      }
      now = wallNanoseconds()
    }
    result.seconds = seconds
    result.clientSeconds = threadSeconds() - processor
    return result
  }

  /// Reads what is there. `acknowledged` gets the time at which the request went, and says whether to send another.
  private func receive(_ index: Int, _ acknowledged: (UInt64) -> Bool) throws {
    let received = recv(connections[index].socket.descriptor, &scratch, scratch.count, 0)
    if received < 0, errno == EAGAIN || errno == EINTR { return }
    guard received > 0 else { throw BenchmarkFailure("the server closed connection \(index)") }
    if connections[index].rest.isEmpty {
      let used = try scratch.withUnsafeBytes {
        try consume(UnsafeRawBufferPointer(rebasing: $0[..<received]), index, acknowledged)
      }
      if used < received { connections[index].rest = Array(scratch[used..<received]) }
    } else {
      let all = connections[index].rest + scratch[..<received]
      connections[index].rest = []
      let used = try all.withUnsafeBytes { try consume($0, index, acknowledged) }
      if used < all.count { connections[index].rest = Array(all[used...]) }
    }
  }

  private func consume(
    _ bytes: UnsafeRawBufferPointer, _ index: Int, _ acknowledged: (UInt64) -> Bool
  ) throws -> Int {
    var used = 0
    while used < bytes.count {
      switch dialect.reply(in: UnsafeRawBufferPointer(rebasing: bytes[used...])) {
      case .incomplete:
        return used
      case .ready(let length):
        connections[index].isReady = true
        used += length
      case .ignored(let length):
        used += length
      case .demand(let answer, let length):
        try connections[index].socket.sendAll(answer)
        used += length
      case .acknowledged(let length):
        used += length
        if acknowledged(connections[index].sentAt) {
          connections[index].sentAt = wallNanoseconds()
          try connections[index].socket.sendAll(connections[index].request)
        }
      case .refused(let text):
        throw BenchmarkFailure("the server refused a message: \(text.prefix(300))")
      }
    }
    return used
  }
}

/// JSON of exactly this many bytes.
func samplePayload(_ number: Int, bytes: Int) -> [UInt8] {
  let start = "{\"number\":\(number),\"text\":\""
  let end = "\"}"
  return Array((start + String(repeating: "x", count: bytes - start.count - end.count) + end).utf8)
}
