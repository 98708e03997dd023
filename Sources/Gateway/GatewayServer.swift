package import EventStorage
import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
package import Projections
import ServiceLifecycle
import Synchronization

/// HTTP and event streams over a log: publish, delete, read, subscribe.
///
/// Runs as a service. On graceful shutdown its streams end with a `retry:` of their own, requests under way are
/// answered, and `run` returns. The log stays open: it belongs to whoever opened it.
package final class GatewayServer<Log: EventLog>: Service {
  /// Where the fold of a partition begins: the start of the log, or a state from a snapshot.
  ///
  /// Resume tokens are honoured from here on; a state at or before `tailStart` of `recentBytesMax` lets every token in
  /// the recent window be resumed. (What expired before this position is not known, so older ones get the state.)
  package struct Start: Sendable {
    package var channels: Channels
    package var position: Offset

    package init(channels: Channels, position: Offset) {
      self.channels = channels
      self.position = position
    }
  }

  private let core: GatewayCore
  private let log: Log
  private let configuration: GatewayConfiguration
  private let logger: Logger
  private let group: MultiThreadedEventLoopGroup
  private let followers: [Follower<Log>]
  private let onListening: @Sendable (Int) -> Void

  /// - Parameter start: where the fold of a partition of messages begins; nil for the start of the log. Called when the partition is
  ///   needed: for each in here, unless they are held on demand. May block.
  /// - Parameter onListening: called with the port once connections are accepted.
  package init(
    log: Log, configuration: GatewayConfiguration,
    start: @escaping @Sendable (Partition) throws(LogError) -> Start? = { _ in nil },
    logger: Logger, onListening: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws(LogError) {
    self.log = log
    self.configuration = configuration
    self.logger = logger
    self.onListening = onListening
    let starts = try log.layout.partitions(of: .messages).map {
      partition throws(LogError) -> (Partition, (Start, LogBounds)?) in
      if configuration.partitionIdleSeconds != nil { return (partition, nil) }
      let bounds = try log.bounds(of: partition)
      return (
        partition,
        (try start(partition) ?? Start(channels: Channels(), position: bounds.start), bounds)
      )
    }
    group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.loops)
    let loops = group.makeIterator().enumerated().map { index, eventLoop in
      StreamLoop(index: index, eventLoop: eventLoop, configuration: configuration)
    }
    let partitions = starts.map { partition, found in
      guard let (start, bounds) = found else {
        return ChannelPartition(
          idle: partition, log: log.identity, loops: loops, limits: configuration.limits)
      }
      return ChannelPartition(
        partition, log: log.identity, channels: start.channels, position: start.position,
        window: RecentWindow(
          start: start.position, bytesMax: configuration.limits.recentBytesMax),
        bounds: bounds, knownAt: log.lastKnown(partition) ?? .now - ChannelPartition.staleAfter,
        loops: loops, limits: configuration.limits)
    }
    for loop in loops { loop.partitions = partitions }
    let idle = configuration.partitionIdleSeconds.map { Duration.seconds($0) }
    followers = partitions.map {
      Follower($0, of: log, from: start, lettingGoAfter: idle, logger: logger)
    }
    core = GatewayCore(
      log: log, partitions: partitions, loops: loops, configuration: configuration,
      logger: logger)
  }

  /// The fold of a partition of messages as it is now, which is worth storing; nil while nobody holds it.
  package func fold(of partition: Partition) -> Fold<Channels>? {
    core.partitions.first { $0.partition == partition }?.fold
  }

  /// Serves until graceful shutdown or cancellation.
  ///
  /// - Throws: `ListeningFailure` when the address cannot be listened on.
  package func run() async throws {
    let threads = NIOThreadPool(numberOfThreads: followers.count)
    threads.start()
    for follower in followers {
      threads.submit { state in
        if case .active = state { follower.run() }
      }
    }
    for loop in core.loops { loop.start() }
    let server = HTTPServerBuilder { [core] responder in
      GatewayChannel(
        responder: responder, loops: core.loops, limits: core.configuration.limits,
        connections: core.connections)
    }
    let result: Result<Void, any Error>
    do {
      let service = try server.buildServer(
        configuration: ServerConfiguration(
          address: .hostname(configuration.host, port: configuration.port), backlog: 1024),
        eventLoopGroup: group, logger: logger,
        responder: { [core] request, writer, channel in
          let response = await core.respond(to: request, on: channel)
          try await writer.write(response: response.head, body: response.body)
        },
        onServerRunning: { [onListening] channel in
          onListening(channel.localAddress?.port ?? 0)
        })
      try await serve(service)
      result = .success(())
    } catch let error as IOError {
      result = .failure(
        ListeningFailure(
          description: "cannot listen on \(configuration.host):\(configuration.port): \(error);"
            + " choose another address or port"))
    } catch {
      result = .failure(error)
    }
    core.drain()
    for follower in followers { follower.stop() }
    try? await threads.shutdownGracefully()
    try? await group.shutdownGracefully()
    for loop in core.loops { loop.letGo() }
    try result.get()
  }

  /// Runs the server until it has ended, or until the time to drain is over: then what is left is cut off.
  private func serve(_ service: any Service) async throws {
    let (core, seconds) = (core, configuration.drainSeconds)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await service.run() }
      group.addTask {
        try await gracefulShutdown()
        core.drain()
        try await Task.sleep(for: .seconds(seconds))
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }
}

/// The address cannot be listened on.
package struct ListeningFailure: Error, CustomStringConvertible {
  package let description: String
}
