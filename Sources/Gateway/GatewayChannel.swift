import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Synchronization

/// Sets up the connections of the server: the lean path for event streams, Hummingbird for the rest.
///
/// A connection is accepted before its first request is known. The task that waits for it ends when the connection
/// turns out to be a stream, and serves it when it does not.
struct GatewayChannel: ServerChildChannel, HTTPChannelHandler {
  typealias HTTPConnection = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

  struct Value: ServerChildChannelValue {
    let channel: any Channel
    /// Fails when the connection became a stream, or was closed before its first request.
    let http: EventLoopFuture<HTTPConnection>
  }

  let responder: HTTPChannelHandler.Responder
  let loops: [StreamLoop]
  let limits: GatewayLimits
  let connections: ConnectionCount

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    let connection = channel.eventLoop.makePromise(of: HTTPConnection.self)
    let value = Value(channel: channel, http: connection.futureResult)
    let count = connections.opened()
    channel.closeFuture.whenComplete { [connections] _ in connections.closed() }
    guard count <= limits.connectionsMax + limits.refusalsMax,
      let loop = loops.first(where: { $0.eventLoop === channel.eventLoop })
    else {
      connection.fail(ChannelError.alreadyClosed)
      channel.close(promise: nil)
      return channel.eventLoop.makeSucceededFuture(value)
    }
    let limits = limits
    let handler = ConnectionHandler(
      loop: loop, isRefused: count > limits.connectionsMax, connection: connection
    ) { channel in
      try GatewayChannel.addHTTP(to: channel, limits: limits)
    }
    do {
      try channel.pipeline.syncOperations.addHandler(handler)
    } catch {
      connection.fail(error)
    }
    return channel.eventLoop.makeSucceededFuture(value)
  }

  func handle(value: Value, logger: Logger) async {
    guard let connection = try? await value.http.get() else { return }
    await handleHTTP(asyncChannel: connection, logger: logger)
  }

  private static func addHTTP(to channel: any Channel, limits: GatewayLimits) throws
    -> HTTPConnection
  {
    try addHTTPHandlers(to: channel, limits: limits)
    return try NIOAsyncChannel(
      wrappingChannelSynchronously: channel,
      configuration: .init(isOutboundHalfClosureEnabled: true))
  }

  /// What makes requests of bytes, and bytes of answers.
  static func addHTTPHandlers(to channel: any Channel, limits: GatewayLimits) throws {
    let pipeline = channel.pipeline.syncOperations
    let wire = WireWatch()
    try pipeline.addHandler(wire)
    var decoder = NIOHTTPDecoderLimitConfiguration()
    decoder.maxHeaderFieldSize = limits.headerBytesMax
    decoder.maxHeaderListSize = limits.headerBytesMax
    decoder.maxHeaderFieldCount = limits.headerFieldsMax
    try pipeline.configureHTTPServerPipeline(
      withPipeliningAssistance: false, withErrorHandling: false,
      withOutboundHeaderValidation: false, withEncoderConfiguration: .init(),
      withDecoderLimitConfiguration: decoder)
    try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
    try pipeline.addHandler(ConnectionGuard(limits: limits, wire: wire))
  }
}

/// How many connections are open.
final class ConnectionCount: Sendable {
  private let count = Atomic(0)

  func opened() -> Int { count.add(1, ordering: .relaxed).newValue }
  func closed() { count.subtract(1, ordering: .relaxed) }
  var value: Int { count.load(ordering: .relaxed) }
}
