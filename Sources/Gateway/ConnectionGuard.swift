import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Watches one HTTP connection: time-outs, malformed requests, `Expect`, and its end when the server drains.
final class ConnectionGuard: ChannelDuplexHandler {
  typealias InboundIn = HTTPRequestPart
  typealias InboundOut = HTTPRequestPart
  typealias OutboundIn = HTTPResponsePart
  typealias OutboundOut = HTTPResponsePart

  private let limits: GatewayLimits
  private let wire: WireWatch
  private var requestsInProgress = 0
  private var isReading = false
  private var isStreaming = false
  private var isClosing = false
  /// Done when the kernel has all of the last answer.
  private var lastWritten: EventLoopFuture<Void>?
  /// When the connection has said nothing for too long, or takes too long to say it.
  private var deadline: NIODeadline
  private var check: Scheduled<Void>?

  init(limits: GatewayLimits, wire: WireWatch) {
    self.limits = limits
    self.wire = wire
    deadline = .now() + .within(limits.idleTimeoutSeconds)
  }

  func handlerAdded(context: ChannelHandlerContext) { scheduleCheck(context) }

  func channelInactive(context: ChannelHandlerContext) {
    check?.cancel()
    check = nil
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head):
      requestsInProgress += 1
      isReading = true
      deadline = .now() + .within(limits.bodyTimeoutSeconds)
      if head.headerFields[.expect]?.lowercased() == "100-continue", isWelcome(head) {
        let answer = HTTPResponsePart.head(HTTPResponse(status: .continue))
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
      }
    case .body: break
    case .end:
      isReading = false
      wire.hasReceived = false
      if isClosing { context.close(promise: nil) }
    }
    context.fireChannelRead(data)
  }

  private func isWelcome(_ head: HTTPRequest) -> Bool {
    head.headerFields[.contentLength].flatMap { Int($0) }.map { $0 <= limits.bodyBytesMax } ?? true
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    switch unwrapOutboundIn(data) {
    case .head(let head):
      if head.headerFields[.connection] == "close" { isClosing = true }
      isStreaming = head.headerFields[.contentType] == "text/event-stream"
      context.write(data, promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      requestsInProgress -= 1
      deadline = .now() + .within(limits.idleTimeoutSeconds)
      let written = promise ?? context.eventLoop.makePromise()
      lastWritten = written.futureResult
      context.write(data, promise: written)
      if isClosing, requestsInProgress == 0 { closeWhenWritten(context) }
    }
  }

  /// Closing throws away what the kernel has not taken yet.
  private func closeWhenWritten(_ context: ChannelHandlerContext) {
    context.flush()
    guard let lastWritten else { return closeGently(context) }
    lastWritten.assumeIsolated().whenComplete { [self] _ in closeGently(context) }
  }

  /// A client that still sends must be able to read the answer first.
  private func closeGently(_ context: ChannelHandlerContext) {
    if isReading {
      context.close(mode: .output, promise: nil)
      context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
        context.close(promise: nil)
      }
    } else {
      context.close(promise: nil)
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    guard event is ChannelShouldQuiesceEvent else {
      context.fireUserInboundEventTriggered(event)
      return
    }
    isClosing = true
    if requestsInProgress == 0 { closeWhenWritten(context) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !(error is ChannelError), !(error is IOError), requestsInProgress == 0, !isClosing else {
      context.fireErrorCaught(error)
      context.close(promise: nil)
      return
    }
    if case HTTPParserError.headerOverflow = error {
      refuse(.headTooLarge(limits), context)
    } else {
      refuse(.malformedRequest, context)
    }
  }

  /// Answers what never became a request, and closes.
  private func refuse(_ problem: Problem, _ context: ChannelHandlerContext) {
    isClosing = true
    let response = problem.response
    context.write(wrapOutboundOut(.head(response.head)), promise: nil)
    context.write(wrapOutboundOut(.body(ByteBuffer(bytes: problem.json))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.close(mode: .output, promise: nil)
    context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { context.close(promise: nil) }
  }

  /// One timer at a time, which looks again when the deadline has moved meanwhile.
  private func scheduleCheck(_ context: ChannelHandlerContext) {
    let glance = min(
      limits.idleTimeoutSeconds, limits.bodyTimeoutSeconds, limits.writeTimeoutSeconds)
    let next = min(deadline, .now() + .within(glance))
    check = context.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [self] in
      // An answer is under way until its client has it, however slowly its client reads.
      let pause = wire.pause(of: context.channel)
      if !isReading, requestsInProgress > 0 || pause != nil {
        deadline = .now() + .within(limits.idleTimeoutSeconds)
      }
      if let pause, !isStreaming, pause >= .within(limits.writeTimeoutSeconds) {
        context.close(promise: nil)
      } else if deadline <= .now() {
        expire(context)
      } else {
        scheduleCheck(context)
      }
    }
  }

  /// The time is up for what the client has not said.
  private func expire(_ context: ChannelHandlerContext) {
    if isReading, !isClosing {
      // Whoever reads the body answers with this; if nobody does in a moment, nobody will.
      isClosing = true
      deadline = .now() + .seconds(1)
      context.fireErrorCaught(Problem.bodyTimeout)
      scheduleCheck(context)
    } else if requestsInProgress == 0, wire.hasReceived, !isClosing {
      refuse(.headTimeout, context)
    } else {
      context.close(promise: nil)
    }
  }
}

extension TimeAmount {
  static func within(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(seconds * 1e9)) }
}
