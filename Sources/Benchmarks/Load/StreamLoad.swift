import Glibc

/// What a load of subscribers came to.
struct StreamResult {
  var events = 0
  var deliveries = 0
  var seconds = 0.0
  /// From just before the publish request to the subscriber, of one subscriber in sixteen.
  var latencies = Latencies()
  var clientSeconds = 0.0

  var rate: Double { Double(deliveries) / seconds }
}

/// Subscribers of one channel and the publishers that feed it, on one thread.
///
/// Every payload holds one `~` and the time behind it, so that counting deliveries is one `memchr`.
final class StreamLoad {
  private static let mark = UInt8(ascii: "~")
  private static let digits = 20
  private static let sampledEach = 16

  private let dialect = HTTPDialect()
  private let poller: Poller
  private var subscribers: [Socket] = []
  private var publishers: [Socket] = []
  /// What has come of the answer to each publisher.
  private var answers: [[UInt8]] = []
  private var delivered: [Int] = []
  private var scratch = [UInt8](repeating: 0, count: 256 << 10)
  private let payloadBytes: Int

  /// Connects subscribers and waits until each of them is live.
  init(port: UInt16, subscribers count: Int, publishers width: Int, payloadBytes: Int) throws {
    self.payloadBytes = payloadBytes
    poller = try Poller()
    let request = Array(
      """
      GET /v1/channels/bench/events HTTP/1.1\r
      Host: 127.0.0.1\r
      Accept: text/event-stream\r
      \r\n
      """.utf8)
    var heads = [[UInt8]](repeating: [], count: count)
    var live = 0
    for index in 0..<count {
      let socket = try Socket(connectedTo: port)
      subscribers.append(socket)
      try poller.add(socket, index: index)
      try socket.sendAll(request)
      // Not faster than the server accepts: its backlog is limited.
      if index % 64 == 63 { try greet(&heads, &live, milliseconds: 1) }
    }
    let deadline = wallSeconds() + 60
    while live < count {
      guard wallSeconds() < deadline else {
        throw BenchmarkFailure("only \(live) of \(count) streams are live")
      }
      try greet(&heads, &live, milliseconds: 100)
    }
    for index in 0..<width {
      let socket = try Socket(connectedTo: port)
      publishers.append(socket)
      try poller.add(socket, index: count + index)
    }
    answers = [[UInt8]](repeating: [], count: width)
    delivered = [Int](repeating: 0, count: count)
  }

  deinit { for socket in subscribers + publishers { socket.close() } }

  private func greet(_ heads: inout [[UInt8]], _ live: inout Int, milliseconds: Int32) throws {
    try poller.wait(milliseconds: milliseconds) { index in
      let count = try receive(subscribers[index])
      guard !heads[index].isEmpty || count > 0 else { return }
      heads[index] += scratch[..<count]
      try heads[index].withUnsafeBytes { bytes in
        guard bytes.count < 12 || bytes[9] == UInt8(ascii: "2") else {
          throw BenchmarkFailure("no stream: \(String(decoding: bytes.prefix(300), as: UTF8.self))")
        }
        // The rest of a stream that is live already is no second one.
        let isNews =
          UnsafeRawBufferPointer(rebasing: bytes.prefix(bytes.count - count)).firstEnd(
            of: "event: live\n") == nil
        if isNews, bytes.firstEnd(of: "event: live\n") != nil { live += 1 }
      }
    }
  }

  /// Publishes `events`, each when fewer than one for every publisher are still on their way to somebody.
  func run(events: Int) throws -> StreamResult {
    var result = StreamResult()
    result.events = events
    for index in delivered.indices { delivered[index] = 0 }
    // How many subscribers have had event n.
    var reached = [Int](repeating: 0, count: events)
    var finished = 0
    var published = 0
    var idle = Array(publishers.indices)
    let processor = threadSeconds()
    let start = wallNanoseconds()
    while finished < events {
      while published < events, published - finished < publishers.count,
        let publisher = idle.popLast()
      {
        try publishers[publisher].sendAll(
          dialect.request(channel: "bench", key: "now", payload: payload()))
        published += 1
      }
      let now = wallNanoseconds()
      guard now < start + 120_000_000_000 else {
        throw BenchmarkFailure("\(finished) of \(events) events reached every subscriber in 120 s")
      }
      try poller.wait(milliseconds: 1000) { index in
        if index >= subscribers.count {
          let publisher = index - subscribers.count
          if try isAcknowledged(publisher) { idle.append(publisher) }
          return
        }
        let count = try receive(subscribers[index])
        let found = countMarks(count, sampled: index % StreamLoad.sampledEach == 0, &result)
        for event in delivered[index]..<min(events, delivered[index] + found) {
          reached[event] += 1
          if reached[event] == subscribers.count { finished += 1 }
        }
        delivered[index] += found
        result.deliveries += found
      }
    }
    result.seconds = Double(wallNanoseconds() - start) / 1e9
    result.clientSeconds = threadSeconds() - processor
    // The answers to the last publishes may still be on their way.
    while idle.count < publishers.count {
      try poller.wait(milliseconds: 1000) { index in
        let publisher = index - subscribers.count
        if publisher >= 0, try isAcknowledged(publisher) { idle.append(publisher) }
      }
    }
    return result
  }

  private func isAcknowledged(_ publisher: Int) throws -> Bool {
    answers[publisher] += scratch[..<(try receive(publishers[publisher]))]
    switch answers[publisher].withUnsafeBytes({ dialect.reply(in: $0) }) {
    case .acknowledged:
      answers[publisher] = []
      return true
    case .refused(let text):
      throw BenchmarkFailure("the server refused a message: \(text.prefix(300))")
    default:
      return false
    }
  }

  private func receive(_ socket: Socket) throws -> Int {
    let count = recv(socket.descriptor, &scratch, scratch.count, 0)
    if count < 0, errno == EAGAIN || errno == EINTR { return 0 }
    guard count > 0 else { throw BenchmarkFailure("the server closed a connection") }
    return count
  }

  private func countMarks(_ count: Int, sampled: Bool, _ result: inout StreamResult) -> Int {
    scratch.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      var found = 0
      var index = 0
      while index < count,
        let mark = memchr(base + index, Int32(StreamLoad.mark), count - index)
      {
        found += 1
        index = UnsafeRawPointer(mark) - base + 1
        guard sampled, index + StreamLoad.digits <= count else { continue }
        var time: UInt64 = 0
        for digit in bytes[index..<index + StreamLoad.digits] {
          time = time * 10 + UInt64(digit &- 48)
        }
        result.latencies.add(wallNanoseconds() &- time)
      }
      return found
    }
  }

  private func payload() -> [UInt8] {
    let time = String(wallNanoseconds())
    let start =
      "{\"at\":\"~" + String(repeating: "0", count: StreamLoad.digits - time.count) + time
      + "\",\"text\":\""
    let end = "\"}"
    let filling = String(repeating: "x", count: payloadBytes - start.utf8.count - end.utf8.count)
    return Array((start + filling + end).utf8)
  }
}
