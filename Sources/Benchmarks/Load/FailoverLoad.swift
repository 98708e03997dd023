import Foundation
import Glibc

/// Subscribers that go to another server with their last id as soon as their stream breaks, on one thread.
final class FailoverLoad {
  private struct Subscriber {
    var socket: Socket
    var channel: Int
    var port: UInt16
    var lastEventID: String?
    /// What came since it connected.
    var text: [UInt8] = []
    var isLive = false
    var verdict = ""
  }

  private let poller: Poller
  private var subscribers: [Subscriber] = []
  private var scratch = [UInt8](repeating: 0, count: 64 << 10)

  /// Connects subscribers, each to a channel of its own, and waits until all are live.
  init(port: UInt16, subscribers count: Int) throws {
    poller = try Poller()
    for index in 0..<count {
      subscribers.append(
        Subscriber(socket: Socket(descriptor: -1), channel: index, port: port))
      try join(index, port)
    }
    try waitUntilLive { _ in throw BenchmarkFailure("a stream ended before it was live") }
  }

  deinit { for subscriber in subscribers { subscriber.socket.close() } }

  /// Kills their server, has everybody go on at another one, and says how long after the death each was live there.
  func failOver(from process: ChildProcess, to port: UInt16) throws -> Latencies {
    var latencies = Latencies()
    for index in subscribers.indices {
      subscribers[index].isLive = false
      subscribers[index].text = []
    }
    let death = wallNanoseconds()
    process.end(with: SIGKILL)
    try waitUntilLive { index in
      try join(index, port)
    } live: { _ in
      latencies.add(wallNanoseconds() - death)
    }
    if let other = subscribers.first(where: { $0.verdict != "resumed" }) {
      throw BenchmarkFailure(
        "a stream was not resumed, but: \(String(decoding: other.text.suffix(300), as: UTF8.self))")
    }
    return latencies
  }

  private func join(_ index: Int, _ port: UInt16) throws {
    let socket = try Socket(connectedTo: port)
    if subscribers[index].socket.descriptor >= 0 { subscribers[index].socket.close() }
    subscribers[index].socket = socket
    subscribers[index].port = port
    subscribers[index].text = []
    try poller.add(socket, index: index)
    let id = subscribers[index].lastEventID.map { "Last-Event-ID: \($0)\r\n" } ?? ""
    try socket.sendAll(
      Array(
        """
        GET /v1/channels/bench-\(subscribers[index].channel)/events HTTP/1.1\r
        Host: 127.0.0.1\r
        \(id)\r

        """.utf8))
  }

  private func waitUntilLive(
    broken: (Int) throws -> Void, live: (Int) -> Void = { _ in }
  ) throws {
    let deadline = wallSeconds() + 60
    var missing = subscribers.count
    while missing > 0 {
      guard wallSeconds() < deadline else {
        throw BenchmarkFailure("\(missing) streams are not live within 60 s")
      }
      try poller.wait(milliseconds: 100) { index in
        let socket = subscribers[index].socket
        let count = recv(socket.descriptor, &scratch, scratch.count, 0)
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        guard count > 0 else {
          poller.remove(socket)
          try broken(index)
          return
        }
        guard !subscribers[index].isLive else { return }
        subscribers[index].text += scratch[..<count]
        if take(index) {
          missing -= 1
          live(index)
        }
      }
    }
  }

  /// Looks whether the stream has come to `live`, and takes its verdict and its id.
  private func take(_ index: Int) -> Bool {
    let text = String(decoding: subscribers[index].text, as: UTF8.self)
    // The event is there as a whole when its data is, and its id stands before.
    guard let live = text.range(of: "event: live\ndata: "),
      text[live.upperBound...].contains("\n\n")
    else { return false }
    for line in text[..<live.upperBound].split(whereSeparator: \.isNewline) {
      if line.hasPrefix("id: ") { subscribers[index].lastEventID = String(line.dropFirst(4)) }
      for verdict in ["resumed", "snapshot", "reset"] where line == "event: \(verdict)" {
        subscribers[index].verdict = verdict
      }
    }
    subscribers[index].isLive = true
    return true
  }
}
