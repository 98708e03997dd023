import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Event streams on connections that served other requests before, and streams that were not asked for plainly.
enum StreamRoutes {
  /// `GET /v1/channels/{channel}/events` and `GET /v1/events?channel=…`
  static func events(_ request: Request, _ context: RouteContext) async throws -> Response {
    let core = context.core
    let asked = try StreamRequest.read(
      target: (request.head.path ?? "/")[...], lastEventID: request.headers[.lastEventID],
      origin: request.headers[.origin], limits: core.limits)
    guard let asked else { throw Problem.notFound(request.uri.path) }
    guard let loop = core.loops.first(where: { $0.eventLoop === context.channel.eventLoop })
    else { throw Problem.unexpected }
    var headers = HTTPFields()
    for (name, value) in StreamHeaders.fields(for: asked, core.configuration.cors) {
      if let name = HTTPField.Name(name) { headers[name] = value }
    }
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody { writer in
        let output = BodyOutput(loop: loop)
        let joined = try await loop.eventLoop.submit { loop.join(asked, output: output) }.get()
        guard let joined else {
          while let buffer = await output.next(for: nil) { try await writer.write(buffer) }
          try await writer.finish(nil)
          return
        }
        do {
          try await request.body.consumeWithInboundCloseHandler { _ in
            while let buffer = await output.next(for: joined) { try await writer.write(buffer) }
          } onInboundClosed: {
            output.close()
          }
        } catch {
          loop.eventLoop.execute { loop.leave(joined) }
          throw error
        }
        loop.eventLoop.execute { loop.leave(joined) }
        try await writer.finish(nil)
      })
  }
}
