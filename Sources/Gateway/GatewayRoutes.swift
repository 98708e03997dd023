import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// Which method of which path does what. Everything else is a problem document: 404, or 405 with what is possible.
enum GatewayRoutes {
  typealias Handler = @Sendable (Request, RouteContext) async throws -> Response

  private static let table: [(path: RouterPath, methods: [(HTTPRequest.Method, Handler)])] = [
    ("v1/channels/:channel", [(.get, ReadRoutes.channel)]),
    ("v1/channels/:channel/events", [(.get, StreamRoutes.events)]),
    ("v1/channels/:channel/messages", [(.post, PublishRoutes.publish)]),
    ("v1/channels/:channel/messages/:key", [(.delete, PublishRoutes.delete)]),
    ("v1/events", [(.get, StreamRoutes.events)]),
    ("v1/nodes", [(.get, NodeRoutes.list)]),
    ("v1/nodes/:id", [(.put, NodeRoutes.join), (.delete, NodeRoutes.leave)]),
    ("healthz", [(.get, HealthRoutes.health)]),
    ("readyz", [(.get, HealthRoutes.ready)]),
  ]

  private static let methods: [HTTPRequest.Method] = [
    .get, .head, .post, .put, .patch, .delete, .options,
  ]

  static func router(pages: [String: StaticPage]) -> Router<RouteContext> {
    let router = Router(context: RouteContext.self)
    for (path, handlers) in table { add(handlers, at: path, to: router) }
    for (path, page) in pages {
      let handler: Handler = { _, _ in
        Response(
          status: .ok, headers: [.contentType: page.contentType],
          body: ResponseBody(byteBuffer: ByteBuffer(bytes: page.bytes)))
      }
      add([(.get, handler)], at: RouterPath(path), to: router)
    }
    for method in methods {
      router.on("**", method: method) { request, _ -> Response in
        throw Problem.notFound(request.uri.path)
      }
    }
    if pages["/"] == nil {
      for method in methods {
        router.on("", method: method) { _, _ -> Response in throw Problem.notFound("/") }
      }
    }
    return router
  }

  private static func add(
    _ asked: [(HTTPRequest.Method, Handler)], at path: RouterPath,
    to router: Router<RouteContext>
  ) {
    var handlers = asked
    // A stream has no end, and so no head of its own. The body is taken away where every answer passes.
    if let first = handlers.first, first.0 == .get, !path.description.hasSuffix("/events") {
      handlers.insert((.head, first.1), at: 1)
    }
    let allow = (handlers.map(\.0.rawValue) + ["OPTIONS"]).joined(separator: ", ")
    for (method, handler) in handlers { router.on(path, method: method, use: handler) }
    for method in methods where !handlers.contains(where: { $0.0 == method }) {
      router.on(path, method: method) { request, context -> Response in
        guard method == .options else {
          throw Problem.method(method.rawValue, allow: allow)
        }
        return options(allow: allow, cors: context.core.configuration.cors)
      }
    }
  }

  /// What is possible here; for a browser, also from another page.
  private static func options(allow: String, cors: CrossOriginPolicy) -> Response {
    var headers: HTTPFields = [.allow: allow]
    if case .none = cors { return Response(status: .noContent, headers: headers) }
    headers[.accessControlAllowMethods] = allow
    headers[.accessControlAllowHeaders] =
      "Content-Type, Idempotency-Key, Last-Event-ID, Signalbox-Key, Signalbox-TTL"
    headers[.accessControlMaxAge] = "86400"
    return Response(status: .noContent, headers: headers)
  }

  /// A JSON answer that nobody should keep.
  static func json(_ status: HTTPResponse.Status, _ json: [UInt8]) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
  }

  /// The parts of a path, as they came.
  static func segments(_ request: Request) -> (path: [Substring], query: Substring) {
    let target = (request.head.path ?? "/")[...]
    let (path, query) = RequestTarget.split(target)
    return (path.split(separator: "/"), query)
  }
}
