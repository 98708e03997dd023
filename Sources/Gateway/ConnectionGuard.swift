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
  private var requestsInProgress = 0
  private var isReading = false
  private var isClosing = false
  /// When the connection has said nothing for too long, or takes too long to say it.
  private var deadline: NIODeadline
  private var check: Scheduled<Void>?

  init(limits: GatewayLimits) {
    self.limits = limits
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
      context.write(data, promise: promise)
    case .body: context.write(data, promise: promise)
    case .end:
      requestsInProgress -= 1
      deadline = .now() + .within(limits.idleTimeoutSeconds)
      context.write(data, promise: promise)
      if isClosing, requestsInProgress == 0 { closeGently(context) }
    }
  }

  /// A client that still sends must be able to read the answer first.
  private func closeGently(_ context: ChannelHandlerContext) {
    context.flush()
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
    if requestsInProgress == 0 { context.close(promise: nil) }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard !(error is ChannelError), !(error is IOError), requestsInProgress == 0, !isClosing else {
      context.fireErrorCaught(error)
      context.close(promise: nil)
      return
    }
    isClosing = true
    let problem: Problem =
      if case HTTPParserError.headerOverflow = error {
        .headTooLarge(limit: limits.headerBytesMax)
      } else {
        .malformedRequest
      }
    let response = problem.response
    context.write(wrapOutboundOut(.head(response.head)), promise: nil)
    context.write(wrapOutboundOut(.body(ByteBuffer(bytes: problem.json))), promise: nil)
    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    context.close(mode: .output, promise: nil)
    context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { context.close(promise: nil) }
  }

  /// One timer at a time, which looks again when the deadline has moved meanwhile.
  private func scheduleCheck(_ context: ChannelHandlerContext) {
    let glance = min(limits.idleTimeoutSeconds, limits.bodyTimeoutSeconds)
    let next = min(deadline, .now() + .within(glance))
    check = context.eventLoop.assumeIsolated().scheduleTask(deadline: next) { [self] in
      let isAnswering = requestsInProgress > 0 && !isReading
      if isAnswering { deadline = .now() + .within(limits.idleTimeoutSeconds) }
      if deadline <= .now() {
        context.close(promise: nil)
      } else {
        scheduleCheck(context)
      }
    }
  }
}

extension TimeAmount {
  static func within(_ seconds: Double) -> TimeAmount { .nanoseconds(Int64(seconds * 1e9)) }
}
