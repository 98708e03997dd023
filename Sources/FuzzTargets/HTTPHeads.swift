import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// Answers every request at once with its path, and keeps what was asked.
final class HTTPHeads: ChannelInboundHandler {
  typealias InboundIn = HTTPRequestPart
  typealias OutboundOut = HTTPResponsePart

  private(set) var heads: [HTTPRequest] = []

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): heads.append(head)
    case .body: break
    case .end:
      guard let head = heads.last else { return }
      let body = ByteBuffer(string: head.path ?? "")
      let isBare = head.method == .head
      let answer = HTTPResponse(
        status: isBare ? .noContent : .ok,
        headerFields: isBare ? [:] : [.contentLength: "\(body.readableBytes)"])
      context.write(wrapOutboundOut(.head(answer)), promise: nil)
      if !isBare { context.write(wrapOutboundOut(.body(body)), promise: nil) }
      context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
    }
  }
}
