import EventStorage
import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import Synchronization

/// What requests work with: the log, the partitions, the loops.
final class GatewayCore: Sendable {
  let log: any EventLog
  let partitions: [ChannelPartition]
  let loops: [StreamLoop]
  let configuration: GatewayConfiguration
  let connections = ConnectionCount()
  let logger: Logger
  private let isDraining = Atomic(false)
  private let router: RouterResponder<RouteContext>

  init(
    log: any EventLog, partitions: [ChannelPartition], loops: [StreamLoop],
    configuration: GatewayConfiguration, logger: Logger
  ) {
    self.log = log
    self.partitions = partitions
    self.loops = loops
    self.configuration = configuration
    self.logger = logger
    router = GatewayRoutes.router(pages: configuration.pages).buildResponder()
  }

  var limits: GatewayLimits { configuration.limits }

  /// The partition that holds a channel.
  func partition(of channel: ChannelName) -> ChannelPartition {
    partitions[Slot(channel: channel).partition(of: partitions.count)]
  }

  /// Ends the streams, and says from now on that the service is not ready. May be called again.
  func drain() {
    guard !isDraining.exchange(true, ordering: .relaxed) else { return }
    for loop in loops { loop.drainStreams() }
  }

  /// True when every fold has come to where the log ended when it began, and the log still works. A fold that is read on demand
  /// makes only those wait who need it.
  var isReady: Bool {
    !isDraining.load(ordering: .relaxed)
      && partitions.allSatisfy {
        configuration.partitionIdleSeconds == nil ? $0.status.isReady : $0.status.failure == nil
      }
  }

  /// Answers any request. Failures become problem documents.
  func respond(to request: Request, on channel: any Channel) async -> Response {
    var response: Response
    do {
      // The router would skip an empty part, and take what follows for it.
      let path = RequestTarget.split((request.head.path ?? "/")[...]).path
      if path.utf8.firstRange(of: "//".utf8) != nil {
        throw Problem.name("A part of the path", .empty)
      }
      let context = RouteContext(core: self, channel: channel, logger: logger)
      response = try await router.respond(to: request, context: context)
    } catch let problem as Problem {
      response = problem.response
    } catch {
      logger.error("unexpected: \(error)")
      response = Problem.unexpected.response
    }
    if request.method == .head { response = response.createHeadResponse() }
    response.headers[.date] = HTTPDate.now
    if case .none = configuration.cors { return response }
    for (name, value) in configuration.cors.headers(origin: request.headers[.origin]) {
      if let name = HTTPField.Name(name) { response.headers[name] = value }
    }
    return response
  }
}

/// What a route gets besides the request.
struct RouteContext: RequestContext {
  typealias Source = RouteContextSource
  var coreContext: CoreRequestContextStorage
  let core: GatewayCore
  let channel: any Channel

  init(source: RouteContextSource) {
    coreContext = CoreRequestContextStorage(source: source)
    core = source.core
    channel = source.channel
  }

  init(core: GatewayCore, channel: any Channel, logger: Logger) {
    self.init(source: RouteContextSource(core: core, channel: channel, logger: logger))
  }
}

/// Where a context comes from.
struct RouteContextSource: RequestContextSource {
  let core: GatewayCore
  let channel: any Channel
  let logger: Logger
}

extension Problem: HTTPResponseError {
  var response: Response {
    var headers: HTTPFields = [.contentType: Problem.contentType]
    if let retryAfterSeconds { headers[.retryAfter] = "\(retryAfterSeconds)" }
    if let allow { headers[.allow] = allow }
    // What is left of a body that is too large or too late is not worth reading.
    if status == .contentTooLarge || status == .requestTimeout { headers[.connection] = "close" }
    return Response(
      status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json)))
  }

  func response(from request: Request, context: some RequestContext) -> Response { response }
}
