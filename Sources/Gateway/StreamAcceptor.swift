import Foundation
import HTTPTypes
import Logging
import NIOCore
import NIOHTTP1

/// Looks at the first request of a connection: one that asks for a stream never becomes a request of the HTTP stack,
/// which would hold a task for as long as the stream lives.
final class StreamAcceptor: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer

  /// Who takes the connection.
  enum Decision {
    /// Anything but a stream: the HTTP stack, with the bytes that came.
    case http
    case stream
  }

  private let limits: GatewayLimits
  private let decide: (Decision, ChannelHandlerContext) -> Void
  private let giveUp: ((any Error)?) -> Void
  private var received = ByteBuffer()
  private var timeout: Scheduled<Void>?

  init(
    limits: GatewayLimits, decide: @escaping (Decision, ChannelHandlerContext) -> Void,
    giveUp: @escaping ((any Error)?) -> Void
  ) {
    self.limits = limits
    self.decide = decide
    self.giveUp = giveUp
  }

  func handlerAdded(context: ChannelHandlerContext) {
    let channel = context.channel
    timeout = context.eventLoop.scheduleTask(in: .seconds(Int64(limits.headerTimeoutSeconds))) {
      channel.close(promise: nil)
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) { timeout?.cancel() }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received.writeImmutableBuffer(unwrapInboundIn(data))
    let bytes = received.readableBytesView
    // A whole head, so that a client that sends it a byte at a time holds no more than this handler.
    guard Data(bytes).range(of: Data("\r\n\r\n".utf8)) != nil else {
      if bytes.count > limits.headerBytesMax { choose(.http, context) }
      return
    }
    let line = String(decoding: bytes.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    let words = line.split(separator: " ")
    let isStream = words.count == 3 && words[0] == "GET" && StreamRequest.isStream(words[1])
    choose(isStream ? .stream : .http, context)
  }

  func channelInactive(context: ChannelHandlerContext) {
    giveUp(nil)
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    giveUp(error)
    context.close(promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    // Half of a connection without a request, or one that came while the server stops.
    if event is ChannelShouldQuiesceEvent || event as? ChannelEvent == .inputClosed {
      context.close(promise: nil)
    } else {
      context.fireUserInboundEventTriggered(event)
    }
  }

  private func choose(_ decision: Decision, _ context: ChannelHandlerContext) {
    decide(decision, context)
    context.fireChannelRead(wrapInboundOut(received))
    received = ByteBuffer()
    context.fireChannelReadComplete()
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }
}
