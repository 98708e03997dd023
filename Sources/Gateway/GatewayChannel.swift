import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Synchronization

/// A connection: becomes a stream or goes to the HTTP stack, whichever its first request asks for.
struct GatewayChannel: ServerChildChannel {
  struct Value: ServerChildChannelValue {
    let channel: any Channel
    /// The HTTP stack's connection, or nil for one that became a stream or went away.
    let decision: EventLoopFuture<HTTP1Channel.Value?>
  }

  let http: HTTP1Channel
  let streams: StreamService
  let connections: ConnectionCount

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    guard connections.enter(until: channel.closeFuture) else {
      return refuse(channel)
    }
    let promise = channel.eventLoop.makePromise(of: HTTP1Channel.Value?.self)
    let acceptor = StreamAcceptor(limits: streams.limits) { decision, context in
      switch decision {
      case .http:
        // Its handlers are added behind this one at once: we are on the event loop.
        http.setup(channel: context.channel, logger: logger).map { $0 }.cascade(to: promise)
      case .stream:
        do {
          let pipeline = context.pipeline.syncOperations
          try pipeline.addHandler(ByteToMessageHandler(HTTPRequestDecoder()))
          try pipeline.addHandler(StreamChannelHandler(streams))
          promise.succeed(nil)
        } catch { promise.fail(error) }
      }
    } giveUp: { error in
      if let error { promise.fail(error) } else { promise.succeed(nil) }
    }
    return channel.eventLoop.makeCompletedFuture {
      try channel.pipeline.syncOperations.addHandler(acceptor)
      return Value(channel: channel, decision: promise.futureResult)
    }
  }

  func handle(value: Value, logger: Logger) async {
    do {
      guard let connection = try await value.decision.get() else { return }
      await http.handle(value: connection, logger: logger)
    } catch {
      logger.debug("a connection ended before it was understood: \(error)")
    }
  }

  private func refuse(_ channel: any Channel) -> EventLoopFuture<Value> {
    let problem = Problem(
      status: .serviceUnavailable, title: "Too many connections",
      detail:
        "this instance holds \(connections.limit) connections (connectionsMax); try another or later",
      retryAfterSeconds: 5)
    let body = problem.document
    var buffer = ByteBuffer(
      string: "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\n"
        + "Retry-After: 5\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n")
    buffer.writeBytes(body)
    let bytes = buffer
    let none = channel.eventLoop.makeSucceededFuture(HTTP1Channel.Value?.none)
    // The channel is not registered yet: it is answered when it is.
    channel.eventLoop.execute {
      channel.writeAndFlush(bytes).whenComplete { _ in channel.close(promise: nil) }
    }
    return channel.eventLoop.makeSucceededFuture(Value(channel: channel, decision: none))
  }
}

/// How many connections are open.
final class ConnectionCount: Sendable {
  let limit: Int
  private let count = Atomic(0)

  init(limit: Int) { self.limit = limit }

  /// False when there are enough. A connection leaves when it is closed.
  func enter(until closed: EventLoopFuture<Void>) -> Bool {
    guard count.add(1, ordering: .relaxed).newValue <= limit else {
      count.subtract(1, ordering: .relaxed)
      return false
    }
    closed.whenComplete { _ in self.count.subtract(1, ordering: .relaxed) }
    return true
  }
}
