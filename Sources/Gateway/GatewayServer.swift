package import EventStorage
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
package import Projections
import ServiceLifecycle

/// HTTP and server-sent events over one log.
///
/// Runs until its task is cancelled or the service group shuts down; then streams end with a `retry:` of their own, requests
/// under way are answered, and followers stop. The log is closed by whoever opened it.
package struct GatewayServer: Service {
  package struct Configuration: Sendable {
    package var host = "127.0.0.1"
    package var port = 8080
    package var allowedOrigins: [String] = []
    package var heartbeatSeconds = 15
    package var retryMilliseconds = 2000
    package var limits = GatewayLimits()
    /// Served as they are, by path.
    package var pages: [String: Page] = [:]

    package init() {}
  }

  /// Where a partition's fold stands when the gateway starts.
  package struct Start: Sendable {
    package var channels: Channels
    package var position: Offset

    package init(channels: Channels, position: Offset) {
      self.channels = channels
      self.position = position
    }
  }

  /// The partitions of messages as this instance knows them, by index.
  package let partitions: [LivePartition]
  private let followers: [Follower]
  private let streams: StreamService
  private let readiness: Readiness
  private let log: any EventLog
  private let configuration: Configuration
  private let logger: Logger
  private let group: MultiThreadedEventLoopGroup
  private let now: @Sendable () -> Int64
  private let listening: @Sendable (_ host: String, _ port: Int) -> Void

  /// - Parameters:
  ///   - starts: the folds of the partitions of messages, by index.
  ///   - now: milliseconds since 1970.
  ///   - listening: called once, with the port that was taken.
  package init(
    _ log: any EventLog, starts: [Start], configuration: Configuration, logger: Logger,
    now: @escaping @Sendable () -> Int64,
    listening: @escaping @Sendable (_ host: String, _ port: Int) -> Void
  ) throws(LogError) {
    self.log = log
    self.configuration = configuration
    self.logger = logger
    self.now = now
    self.listening = listening
    let group = MultiThreadedEventLoopGroup(numberOfThreads: System.coreCount)
    self.group = group
    let eventLoops = Array(group.makeIterator())
    let loops = eventLoops.enumerated().map {
      StreamLoop($0.element, index: $0.offset, of: eventLoops.count)
    }
    var partitions: [LivePartition] = []
    for (partition, start) in zip(log.layout.partitions(of: .messages), starts) {
      partitions.append(
        try GatewayServer.live(partition, start, log, limits: configuration.limits, loops: loops))
    }
    self.partitions = partitions
    followers = partitions.map { Follower(log, $0) }
    readiness = Readiness(log: log, partitions: partitions, followers: followers)
    streams = StreamService(
      partitions: partitions, loops: loops, limits: configuration.limits,
      cors: CrossOrigin(allowedOrigins: configuration.allowedOrigins),
      retryMilliseconds: configuration.retryMilliseconds)
  }

  package func run() async throws {
    let readiness = readiness
    streams.startHeartbeats(everySeconds: configuration.heartbeatSeconds) { readiness.lag }
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      for follower in followers { tasks.addTask { await follower.run() } }
      tasks.addTask {
        // Streams have said goodbye by the time it ends.
        defer { for follower in followers { follower.stop() } }
        do {
          try await server.run()
        } catch let error as IOError {
          throw ListeningFailure(
            description: "cannot listen on \(configuration.host):\(configuration.port): \(error);"
              + " choose another address or port")
        }
      }
      try await tasks.waitForAll()
    }
    try await group.shutdownGracefully()
  }

  private var server: some Service {
    let limits = configuration.limits
    let responder = Responder(
      channels: ChannelService(log: log, partitions: partitions, limits: limits, now: now),
      streams: streams, readiness: readiness, pages: configuration.pages, cors: streams.cors)
    let streams = streams
    let connections = ConnectionCount(limit: limits.connectionsMax)
    let listening = listening
    let host = configuration.host
    return Application(
      responder: responder,
      server: HTTPServerBuilder { respond in
        GatewayChannel(
          http: HTTP1Channel(
            responder: respond,
            configuration: .init(
              idleTimeout: .seconds(Int64(limits.idleTimeoutSeconds)),
              httpDecoderConfiguration: .init(
                maxHeaderFieldSize: limits.headerBytesMax,
                maxHeaderListSize: limits.headerBytesMax))),
          streams: streams, connections: connections)
      },
      configuration: ApplicationConfiguration(
        address: .hostname(host, port: configuration.port), serverName: "signalbox"),
      onServerRunning: { channel in
        listening(host, channel.localAddress?.port ?? 0)
      },
      eventLoopGroupProvider: .shared(group), logger: logger)
  }

  /// A partition whose recent window holds what was appended last, so that streams resume across a restart.
  private static func live(
    _ partition: Partition, _ start: Start, _ log: any EventLog, limits: GatewayLimits,
    loops: [StreamLoop]
  ) throws(LogError) -> LivePartition {
    // Deletions before the horizon may be gone: nobody resumes from there (law 7).
    let tail = max(
      try log.tailStart(of: partition, bytesMax: limits.recentBytesMax / 4),
      try log.bounds(of: partition).tombstoneHorizon)
    let live = LivePartition(
      partition, of: log.identity, channels: start.channels, position: start.position,
      windowStart: min(tail, start.position), limits: limits, loops: loops)
    var filler = WindowFiller(live: live, end: start.position)
    var position = tail
    while position < start.position {
      position = try log.read(partition, from: position, bytesMax: 1 << 20, into: &filler)
    }
    return live
  }
}

/// The address cannot be listened on.
package struct ListeningFailure: Error, CustomStringConvertible {
  package let description: String
}
