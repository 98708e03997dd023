import EventStorage
import Events
import HTTPTypes
import Hummingbird
import NIOCore

/// Every request but the streams that were taken before: one address, one method, one answer.
struct Responder: HTTPResponder {
  struct Context: RequestContext {
    var coreContext: CoreRequestContextStorage
    let eventLoop: any EventLoop

    init(source: ApplicationRequestContextSource) {
      coreContext = CoreRequestContextStorage(source: source)
      eventLoop = source.channel.eventLoop
    }
  }

  let channels: ChannelService
  let streams: StreamService
  let readiness: Readiness
  let pages: [String: Page]
  let cors: CrossOrigin

  func respond(to request: Request, context: Context) async throws -> Response {
    var response: Response
    do {
      response = try await answer(request, context)
    } catch let problem as Problem {
      response = problem.response
    } catch let error as LogError {
      response = Problem(error).response
    } catch is NIOTooManyBytesError {
      response = channels.bodyTooLarge.response
    }
    for (name, value) in cors.headers(origin: request.headers[.origin]) {
      if let field = HTTPField.Name(name) { response.headers[field] = value }
    }
    return response
  }

  private func answer(_ request: Request, _ context: Context) async throws -> Response {
    let target = try RequestTarget(request.uri.description)
    let method = request.method
    if method == .options { return preflight(request) }
    switch target.path.count {
    case 4 where target.path[...1] == ["v1", "channels"] && target.path[3] == "messages":
      try expect(.post, request, target)
      return try await channels.publish(request, to: target.path[2])
    case 5 where target.path[...1] == ["v1", "channels"] && target.path[3] == "messages":
      try expect(.delete, request, target)
      return try await channels.delete(target.path[4], in: target.path[2])
    case 3 where target.path[...1] == ["v1", "channels"]:
      try expect(.get, request, target)
      return try await channels.read(target.path[2], target, on: context.eventLoop)
    case _ where StreamRequest.isStream(request.uri.description):
      try expect(.get, request, target)
      return try stream(request, target, context)
    case 1 where target.path == ["healthz"]:
      try expect(.get, request, target)
      return Response(
        status: .ok, headers: [.contentType: "text/plain"],
        body: .init(byteBuffer: ByteBuffer(string: "alive\n")))
    case 1 where target.path == ["readyz"]:
      try expect(.get, request, target)
      return readiness.response
    default:
      let path = "/" + target.path.joined(separator: "/")
      guard let page = pages[path] else { throw Problem.notFound(path) }
      try expect(.get, request, target)
      return Response(
        status: .ok, headers: [.contentType: page.contentType],
        body: .init(byteBuffer: ByteBuffer(bytes: page.bytes)))
    }
  }

  private func expect(
    _ method: HTTPRequest.Method, _ request: Request, _ target: RequestTarget
  ) throws(Problem) {
    guard request.method == method else {
      throw .wrongMethod(
        request.method.rawValue, "/" + target.path.joined(separator: "/"), allowed: method.rawValue)
    }
  }

  /// What a browser asks before it lets a page of another origin publish.
  private func preflight(_ request: Request) -> Response {
    Response(
      status: .noContent,
      headers: [
        .accessControlAllowMethods: "GET, POST, DELETE",
        .accessControlAllowHeaders:
          "Content-Type, Signalbox-Key, Signalbox-TTL, Idempotency-Key, Last-Event-ID",
        .accessControlMaxAge: "600",
      ])
  }

  /// A stream on a connection that had other requests before: the same subscriber behind an ordinary response.
  private func stream(
    _ request: Request, _ target: RequestTarget, _ context: Context
  ) throws -> Response {
    let asked = try StreamRequest(
      target, lastEventID: HTTPField.Name("Last-Event-ID").flatMap { request.headers[$0] },
      limits: streams.limits)
    var headers = HTTPFields()
    for (name, value) in StreamService.streamHeaders {
      if let field = HTTPField.Name(name) { headers[field] = value }
    }
    let eventLoop = context.eventLoop
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody { writer in
        try await ResponseStream(streams: streams, request: asked, eventLoop: eventLoop)
          .write(to: &writer)
        try await writer.finish(nil)
      })
  }
}

/// A page that is served as it is.
package struct Page: Sendable {
  package var contentType: String
  package var bytes: [UInt8]

  package init(contentType: String, bytes: [UInt8]) {
    self.contentType = contentType
    self.bytes = bytes
  }
}
