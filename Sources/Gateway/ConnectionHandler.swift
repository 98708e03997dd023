import Glibc
import HTTPTypes
import NIOCore
import NIOHTTPTypes

/// The first handler of every connection: waits for the head of its first request. A plain request for an event
/// stream is taken at once, before a task or an HTTP codec exists for it; this handler is then all there is, and
/// the stream's output. Everything else gets the HTTP stack.
final class ConnectionHandler: ChannelInboundHandler, RemovableChannelHandler {
  typealias InboundIn = ByteBuffer
  typealias InboundOut = ByteBuffer
  typealias HTTPConnection = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  private enum State {
    case waiting(ByteBuffer)
    case stream
    case handedOver
    case closing
  }

  private let loop: StreamLoop
  private let isRefused: Bool
  private let connection: EventLoopPromise<HTTPConnection>
  private let makeHTTP: (any Channel) throws -> HTTPConnection
  private var state = State.waiting(ByteBuffer())
  private var context: ChannelHandlerContext?
  private var timeout: Scheduled<Void>?
  private var subscriber: Subscriber?
  /// The descriptor of the connection while frames may be written straight to it.
  private var socket: CInt?
  private(set) var pendingBytes = 0

  /// The connection became an event stream: there is no HTTP connection to serve.
  struct TakenAsStream: Error {}

  init(
    loop: StreamLoop, isRefused: Bool, connection: EventLoopPromise<HTTPConnection>,
    makeHTTP: @escaping (any Channel) throws -> HTTPConnection
  ) {
    self.loop = loop
    self.isRefused = isRefused
    self.connection = connection
    self.makeHTTP = makeHTTP
  }

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    let seconds = loop.limits.headerTimeoutSeconds
    timeout = context.eventLoop.assumeIsolated().scheduleTask(
      in: .nanoseconds(Int64(seconds * 1e9))
    ) { [self] in
      if case .waiting(let bytes) = state { refuse(.headTimeout, bytes.readableBytesView) }
    }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    self.context = nil
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch state {
    case .waiting(var held):
      state = .waiting(ByteBuffer())
      var buffer = unwrapInboundIn(data)
      if held.readableBytes == 0 { held = buffer } else { held.writeBuffer(&buffer) }
      look(at: held, context: context)
    case .handedOver: context.fireChannelRead(data)
    case .stream, .closing: break
    }
  }

  private func look(at bytes: ByteBuffer, context: ChannelHandlerContext) {
    let view = bytes.readableBytesView
    guard let length = RequestHead.length(in: view) else {
      if bytes.readableBytes > loop.limits.headerBytesMax {
        refuse(.headTooLarge(loop.limits), view)
      } else if RequestHead.mayBegin(with: view) {
        state = .waiting(bytes)
      } else {
        handOver(bytes, context: context)
      }
      return
    }
    let head = view[view.startIndex..<(view.startIndex + length)]
    if length > loop.limits.headerBytesMax
      || RequestHead.fieldCount(in: head) > loop.limits.headerFieldsMax
    {
      refuse(.headTooLarge(loop.limits), head)
    } else if let request = RequestHead.streamRequest(in: head, limits: loop.limits) {
      take(request, context: context)
    } else if isRefused {
      refuse(.tooManyConnections, head)
    } else {
      handOver(bytes, context: context)
    }
  }

  private func take(_ request: StreamRequest, context: ChannelHandlerContext) {
    state = .stream
    timeout?.cancel()
    timeout = nil
    connection.fail(TakenAsStream())
    if loop.configuration.writesToSocket {
      socket = try? context.pipeline.syncOperations.withUnsafeTransportIfAvailable(
        of: NIOBSDSocket.Handle.self
      ) { $0 }
    }
    if isRefused {
      begin(request, with: loop.farewell())
      end(with: SharedFrames(Array(": too many connections\n\n".utf8)))
    } else {
      subscriber = loop.join(request, output: self)
    }
  }

  private func handOver(_ bytes: ByteBuffer, context: ChannelHandlerContext) {
    state = .handedOver
    timeout?.cancel()
    timeout = nil
    do {
      connection.succeed(try makeHTTP(context.channel))
    } catch {
      connection.fail(error)
      context.close(promise: nil)
      return
    }
    context.fireChannelRead(wrapInboundOut(bytes))
    context.fireChannelReadComplete()
    context.pipeline.syncOperations.removeHandler(self, promise: nil)
  }

  /// Answers before there is an HTTP stack, and closes.
  ///
  /// - Parameter asked: what has come of the request.
  private func refuse(_ problem: Problem, _ asked: ByteBufferView) {
    state = .closing
    timeout?.cancel()
    connection.fail(ChannelError.alreadyClosed)
    guard let context else { return }
    let body = problem.json
    var head = "HTTP/1.1 \(problem.status.code) \(problem.status.reasonPhrase)\r\n"
    head += "Content-Type: \(Problem.contentType)\r\nContent-Length: \(body.count)\r\n"
    head += "Date: \(WallClock.httpDate(WallClock.milliseconds()))\r\nConnection: close\r\n"
    if let seconds = problem.retryAfterSeconds { head += "Retry-After: \(seconds)\r\n" }
    // Without these a page could not tell why.
    for (name, value) in loop.configuration.cors.headers(origin: RequestHead.origin(in: asked)) {
      head += "\(name): \(value)\r\n"
    }
    var buffer = context.channel.allocator.buffer(capacity: head.utf8.count + body.count + 2)
    buffer.writeString(head + "\r\n")
    buffer.writeBytes(body)
    context.writeAndFlush(NIOAny(buffer), promise: nil)
    closeGently(context)
  }

  /// Closes the output, and the rest a moment later: what the client still sends must not make the kernel throw the
  /// answer away.
  private func closeGently(_ context: ChannelHandlerContext) {
    context.close(mode: .output, promise: nil)
    context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) { context.close(promise: nil) }
  }

  func channelInactive(context: ChannelHandlerContext) {
    socket = nil
    timeout?.cancel()
    if case .waiting = state { connection.fail(ChannelError.alreadyClosed) }
    leave()
    if case .handedOver = state { context.fireChannelInactive() }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    switch state {
    case .handedOver: context.fireUserInboundEventTriggered(event)
    case .waiting where event is ChannelShouldQuiesceEvent: context.close(promise: nil)
    // Nobody reads on when a browser has gone: the other half says it first.
    case .waiting, .stream, .closing:
      if case ChannelEvent.inputClosed = event { context.close(promise: nil) }
    }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    if case .handedOver = state {
      context.fireErrorCaught(error)
    } else {
      context.close(promise: nil)
    }
  }

  private func leave() {
    guard let subscriber else { return }
    self.subscriber = nil
    loop.leave(subscriber)
  }
}

extension ConnectionHandler: StreamOutput {
  var isOpen: Bool {
    if case .stream = state, let context { context.channel.isActive } else { false }
  }

  func begin(_ request: StreamRequest, with frames: SharedFrames) {
    var head = "HTTP/1.1 200 OK\r\n"
    for (name, value) in StreamHeaders.fields(for: request, loop.configuration.cors) {
      head += "\(name): \(value)\r\n"
    }
    head += "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    var buffer = ByteBufferAllocator().buffer(capacity: head.utf8.count + frames.byteCount)
    buffer.writeString(head)
    buffer.writeImmutableBuffer(frames.chunk)
    send(buffer)
  }

  func write(_ frames: SharedFrames) { send(frames.chunk) }

  func end(with frames: SharedFrames) {
    guard isOpen, let context else { return }
    send(frames.chunk)
    send(SharedFrames.end)
    state = .closing
    leave()
    if pendingBytes == 0 {
      closeGently(context)
    } else {
      // A reader this slow has until the next moment; it resumes from its last id.
      context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(1)) {
        context.close(promise: nil)
      }
    }
  }

  /// One write to the socket where that is possible; what the kernel does not take goes through the channel, and as
  /// long as anything waits there, everything does, so that the order holds.
  private func send(_ buffer: ByteBuffer) {
    guard let context, context.channel.isActive else { return }
    guard let socket, pendingBytes == 0 else {
      queue(buffer, context)
      return
    }
    let count = buffer.readableBytes
    let sent = buffer.withUnsafeReadableBytes {
      Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_DONTWAIT) | CInt(MSG_NOSIGNAL))
    }
    if sent == count { return }
    if sent < 0 {
      switch errno {
      case EAGAIN, EWOULDBLOCK, EINTR: queue(buffer, context)
      default: context.close(promise: nil)
      }
      return
    }
    let rest = UnsentFrames(of: buffer, after: sent)
    queue(rest.buffer, holding: rest.heldBytes, context)
  }

  private func queue(
    _ buffer: ByteBuffer, holding heldBytes: Int? = nil, _ context: ChannelHandlerContext
  ) {
    let count = heldBytes ?? buffer.readableBytes
    pendingBytes += count
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { [self] _ in
      pendingBytes -= count
      if pendingBytes == 0, let subscriber { loop.pull(subscriber) }
    }
    context.writeAndFlush(NIOAny(buffer), promise: written)
  }
}

/// The headers of every event stream.
enum StreamHeaders {
  static func fields(
    for request: StreamRequest, _ cors: CrossOriginPolicy
  ) -> [(name: String, value: String)] {
    [
      ("Content-Type", "text/event-stream"), ("Cache-Control", "no-store, no-transform"),
      ("X-Accel-Buffering", "no"), ("Date", HTTPDate.now),
    ] + cors.headers(origin: request.origin)
  }
}
