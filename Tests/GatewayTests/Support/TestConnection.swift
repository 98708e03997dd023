import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A connection to a server under test: sends bytes, and waits for what comes back to fulfil a condition.
final class TestConnection: Sendable {
  struct TimedOut: Error, CustomStringConvertible {
    var description: String
  }

  private struct State {
    var bytes: [UInt8] = []
    var isClosed = false
    var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    var nextWaiter = 0
  }

  let channel: any Channel
  private let collector: Collector

  /// - Parameter greeting: What it sends as soon as it is connected, however busy the test is.
  init(port: Int, receiveBuffer: Int? = nil, greeting: String = "") async throws {
    let collector = Collector(greeting)
    self.collector = collector
    var bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .channelOption(.allowRemoteHalfClosure, value: false)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(collector)
        }
      }
    if let receiveBuffer {
      bootstrap = bootstrap.channelOption(.socketOption(.so_rcvbuf), value: .init(receiveBuffer))
    }
    channel = try await bootstrap.connect(host: "127.0.0.1", port: port).get()
  }

  func send(_ text: String) async throws {
    try await channel.writeAndFlush(ByteBuffer(string: text))
  }

  func send(_ bytes: [UInt8]) async throws {
    try await channel.writeAndFlush(ByteBuffer(bytes: bytes))
  }

  /// Whether it reads what comes in.
  func setReading(_ reads: Bool) async throws {
    try await channel.setOption(.autoRead, value: reads).get()
    if reads { channel.read() }
  }

  func close() async { try? await channel.close() }

  var received: [UInt8] { collector.state.withLock { $0.bytes } }
  var text: String { String(decoding: received, as: UTF8.self) }
  var isClosed: Bool { collector.state.withLock { $0.isClosed } }

  /// Waits until what came in fulfils the condition. A condition that stays false fails the test after a while.
  @discardableResult
  func wait(
    seconds: Double = 20, _ what: String = "", until condition: @Sendable @escaping (String) -> Bool
  ) async throws -> String {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while true {
      let seen = collector.state.withLock { ($0.bytes.count, $0.isClosed) }
      let text = text
      if condition(text) { return text }
      if seen.1 { throw TimedOut(description: "closed before \(what): \(text.suffix(2000))") }
      if ContinuousClock.now > deadline {
        throw TimedOut(description: "no \(what) in time: \(text.suffix(2000))")
      }
      await collector.change(from: seen.0, before: deadline, on: channel.eventLoop)
    }
  }

  /// Waits until a text has come in. Looks at what is new only, so it is right for megabytes.
  func wait(for needle: String, seconds: Double = 60) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    let wanted = Array(needle.utf8)
    var searched = 0
    while true {
      let (isFound, count, isClosed) = collector.state.withLock { state in
        let isFound = contains(wanted, in: state.bytes, from: searched)
        searched = max(0, state.bytes.count - wanted.count)
        return (isFound, state.bytes.count, state.isClosed)
      }
      if isFound { return }
      if isClosed { throw TimedOut(description: "closed before \(needle)") }
      if ContinuousClock.now > deadline { throw TimedOut(description: "no \(needle) in time") }
      await collector.change(from: count, before: deadline, on: channel.eventLoop)
    }
  }

  func waitUntilClosed(seconds: Double = 20) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !isClosed {
      if ContinuousClock.now > deadline { throw TimedOut(description: "still open: \(text)") }
      await collector.change(from: received.count, before: deadline, on: channel.eventLoop)
    }
  }

  private final class Collector: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    let state = Mutex(State())
    private let greeting: String

    init(_ greeting: String) { self.greeting = greeting }

    func channelActive(context: ChannelHandlerContext) {
      guard !greeting.isEmpty else { return }
      context.writeAndFlush(NIOAny(ByteBuffer(string: greeting)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
      let buffer = unwrapInboundIn(data)
      let waiters = state.withLock { state in
        state.bytes.append(contentsOf: buffer.readableBytesView)
        defer { state.waiters = [:] }
        return state.waiters
      }
      for waiter in waiters.values { waiter.resume() }
    }

    func channelInactive(context: ChannelHandlerContext) {
      let waiters = state.withLock { state in
        state.isClosed = true
        defer { state.waiters = [:] }
        return state.waiters
      }
      for waiter in waiters.values { waiter.resume() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
      context.close(promise: nil)
    }

    /// Waits until more than `count` bytes are here, the connection has closed, or the time is up.
    func change(
      from count: Int, before deadline: ContinuousClock.Instant, on loop: any EventLoop
    ) async {
      await withCheckedContinuation { continuation in
        let id = state.withLock { state -> Int? in
          if state.bytes.count != count || state.isClosed { return nil }
          state.nextWaiter += 1
          state.waiters[state.nextWaiter] = continuation
          return state.nextWaiter
        }
        guard let id else {
          continuation.resume()
          return
        }
        let left = ContinuousClock.now.duration(to: deadline)
        let nanoseconds = max(0, left.components.seconds * 1_000_000_000 + 1_000_000)
        loop.scheduleTask(in: .nanoseconds(nanoseconds)) { [self] in
          state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
      }
    }
  }
}

private func contains(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Bool {
  bytes.withUnsafeBytes { bytes in
    needle.withUnsafeBytes { needle in
      guard let base = bytes.baseAddress, let wanted = needle.baseAddress else { return false }
      var next = start
      while next + needle.count <= bytes.count,
        let found = memchr(base + next, Int32(needle[0]), bytes.count - needle.count + 1 - next)
      {
        if memcmp(found, wanted, needle.count) == 0 { return true }
        next = UnsafeRawPointer(found) - base + 1
      }
      return false
    }
  }
}
