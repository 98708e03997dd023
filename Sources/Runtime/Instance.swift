package import EventStorage
package import Gateway
package import Logging
import NIOCore
import Projections
import SegmentStorage
package import ServiceLifecycle
import UnixSignals

/// One running Signalbox: a log, its folds, and the gateway in front of them.
package struct Instance: Sendable {
  /// Where it listens.
  package struct Address: Sendable {
    package let host: String
    package let port: Int
    package var url: String { "http://\(host.contains(":") ? "[\(host)]" : host):\(port)" }
    package var json: String { #"{"url":"\#(url)","host":"\#(host)","port":\#(port)}"# }
  }

  private let settings: Settings
  private let pages: [String: StaticPage]
  private let logger: Logger

  package init(settings: Settings, pages: [String: StaticPage] = [:]) {
    self.settings = settings
    self.pages = pages
    var logger = Logger(label: "signalbox", factory: { StreamLogHandler.standardError(label: $0) })
    logger.logLevel = Logger.Level(rawValue: settings.logLevel) ?? .notice
    self.logger = logger
  }

  /// Serves until SIGTERM or SIGINT, then drains, closes the log and returns.
  ///
  /// - Parameters:
  ///   - services: what runs beside the gateway, on the same log.
  ///   - listening: called once, when requests are taken.
  package func run(
    beside services: (any EventLog, Logger) throws -> [any Service] = { _, _ in [] },
    listening: @escaping @Sendable (Address) -> Void
  ) async throws {
    OpenFiles.raiseLimit()
    try await run(openLog(settings, logger), services, listening)
  }

  private func run<Log: EventLog>(
    _ log: Log, _ services: (any EventLog, Logger) throws -> [any Service],
    _ listening: @escaping @Sendable (Address) -> Void
  ) async throws {
    defer { log.close() }
    let host = settings.host
    let snapshots = snapshotFiles
    let logger = logger
    let topology = try await onThread("start") {
      snapshots?.removeUnfinished()
      guard let snapshots else { return Fold<Directory>(Partition(.topology, 0)) }
      return try startingFold(Partition(.topology, 0), log, snapshots, recentBytes: 0, logger)
    }
    logger.info("\(topology.partition) starts at \(topology.position)")
    let controller = Controller(of: log, startingAt: topology, logger: logger)
    var configuration = configuration
    try limitConnections(of: &configuration)
    configuration.directory = { controller.directory }
    configuration.leads = { controller.leads }
    if let log = log as? SegmentedLog {
      configuration.maintenanceFailure = { log.maintenanceFailure?.description }
    }
    let settled = configuration
    let gateway = try await onThread("start") {
      try GatewayServer(
        log: log, configuration: settled,
        start: { partition throws(LogError) in
          let fold: Fold<Channels> = try startingFold(
            partition, log, snapshots, recentBytes: Instance.resumableBytes, logger)
          logger.info("\(partition) starts at \(fold.position)")
          return .init(channels: fold.state, position: fold.position)
        }, logger: logger
      ) { port in listening(Address(host: host, port: port)) }
    }
    // They are ended one by one, the last one first. Clients are told to come back before anything that takes long, and the snapshot
    // has what was published until then.
    var all: [any Service] = []
    if let snapshots {
      let channels = log.layout.partitions(of: .messages).map { partition in
        SnapshotSource(of: log.identity) { gateway.fold(of: partition) }
      }
      let directory = SnapshotSource(of: log.identity) { controller.directory }
      all.append(
        Snapshotter(
          files: snapshots, sources: channels + [directory],
          interval: .seconds(settings.snapshotSeconds), logger: logger))
    }
    all += [controller, gateway]
    all += try services(log, logger)
    var group = ServiceGroupConfiguration(
      services: all.map { .init(service: $0, successTerminationBehavior: .ignore) },
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    group.maximumGracefulShutdownDuration = .seconds(30)
    try await ServiceGroup(configuration: group).run()
  }

  private func limitConnections(
    of configuration: inout GatewayConfiguration
  ) throws(SettingsFailure) {
    let files = OpenFiles.now()
    let wanted = configuration.limits.connectionsMax
    let (connections, refusals) = try files.connections(
      wanted: wanted, refusals: configuration.limits.refusalsMax, loops: configuration.loops)
    configuration.limits.connectionsMax = connections
    configuration.limits.refusalsMax = refusals
    guard connections < wanted else { return }
    logger.warning(
      "at most \(connections) connections at once, not \(wanted): this process may have \(files.limit) files open; raise the limit (ulimit -n, LimitNOFILE= in systemd), or set connections-max"
    )
  }

  /// Where the settings say, or beside the log; a log in memory has none, and one on Kafka only where the settings say.
  private var snapshotFiles: SnapshotFiles? {
    switch settings.log {
    case .memory, .recording: nil
    case .file(let path):
      SnapshotFiles(folder: settings.snapshots.isEmpty ? path + "/snapshots" : settings.snapshots)
    case .kafka:
      settings.snapshots.isEmpty ? nil : SnapshotFiles(folder: settings.snapshots)
    }
  }

  private var configuration: GatewayConfiguration {
    var configuration = GatewayConfiguration(loops: min(64, System.coreCount))
    configuration.host = settings.host
    configuration.port = settings.port
    configuration.heartbeatSeconds = Double(settings.heartbeatSeconds)
    configuration.retryMilliseconds = settings.retryMilliseconds
    if settings.allowedOrigins == ["*"] {
      configuration.cors = .any
    } else if !settings.allowedOrigins.isEmpty {
      configuration.cors = .origins(Set(settings.allowedOrigins))
    }
    configuration.limits.connectionsMax = settings.connectionsMax
    configuration.limits.bodyBytesMax = settings.bodyBytesMax
    configuration.limits.headerTimeoutSeconds = Double(settings.headerTimeoutSeconds)
    configuration.pages = pages
    // A log on Kafka is shared by many instances: each holds what its own clients need.
    if case .kafka = settings.log {
      configuration.partitionIdleSeconds = Double(settings.partitionIdleSeconds)
    }
    return configuration
  }

  /// Bytes of a partition, as stored, whose tokens resume exactly after a restart when the snapshots allow it.
  private static let resumableBytes = 4 << 20
}
