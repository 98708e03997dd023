import HTTPTypes
import NIOCore
import NIOHTTP1

/// The connection of one stream: reads its request, then only notices that the client is gone.
final class StreamChannelHandler: ChannelInboundHandler {
  typealias InboundIn = HTTPServerRequestPart

  private let streams: StreamService
  private var subscriber: Subscriber?

  init(_ streams: StreamService) { self.streams = streams }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard case .head(let head) = unwrapInboundIn(data), subscriber == nil else { return }
    do throws(Problem) {
      let request = try StreamRequest(
        RequestTarget(head.uri), lastEventID: head.headers.first(name: "last-event-id"),
        limits: streams.limits)
      let holder = NIOLoopBound(self, eventLoop: context.eventLoop)
      let outlet = SocketOutlet(channel: context.channel) { holder.value.subscriber?.drained() }
      let subscriber = streams.subscriber(request, outlet: outlet, on: context.eventLoop)
      self.subscriber = subscriber
      subscriber.start(
        streams.head(origin: head.headers.first(name: "origin")), request,
        retryMilliseconds: streams.retryMilliseconds)
    } catch {
      answer(error, context, origin: head.headers.first(name: "origin"))
    }
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    end()
    context.close(promise: nil)
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is ChannelShouldQuiesceEvent {
      if let subscriber {
        subscriber.drain(retryMilliseconds: streams.drainRetryMilliseconds())
        self.subscriber = nil
      } else {
        context.close(promise: nil)
      }
    } else if event as? ChannelEvent == .inputClosed {
      context.close(promise: nil)
    }
  }

  private func end() {
    subscriber?.closed()
    subscriber = nil
  }

  private func answer(_ problem: Problem, _ context: ChannelHandlerContext, origin: String?) {
    let body = problem.document
    var text = "HTTP/1.1 \(problem.status.code) \(problem.status.reasonPhrase)\r\n"
    for field in problem.headers { text += "\(field.name): \(field.value)\r\n" }
    for (name, value) in streams.cors.headers(origin: origin) { text += "\(name): \(value)\r\n" }
    text += "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
    var buffer = ByteBuffer(string: text)
    buffer.writeBytes(body)
    let channel = context.channel
    channel.writeAndFlush(buffer).whenComplete { _ in channel.close(promise: nil) }
  }
}
