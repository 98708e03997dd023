package import EventStorage
package import Gateway
package import Logging
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
  private let pages: [String: Page]
  private let logger: Logger

  package init(settings: Settings, pages: [String: Page] = [:]) {
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
    let log = try openLog(settings)
    defer { log.close() }
    let snapshots = snapshotFiles
    let starts = try await startingStates(log, snapshots)
    var configuration = GatewayServer.Configuration()
    configuration.host = settings.host
    configuration.port = settings.port
    configuration.allowedOrigins = settings.allowedOrigins
    configuration.heartbeatSeconds = settings.heartbeatSeconds
    configuration.retryMilliseconds = settings.retryMilliseconds
    configuration.limits.connectionsMax = settings.connectionsMax
    configuration.limits.bodyBytesMax = settings.bodyBytesMax
    configuration.limits.headerTimeoutSeconds = settings.headerTimeoutSeconds
    configuration.pages = pages
    let gateway = try GatewayServer(
      log, starts: starts, configuration: configuration, logger: logger, now: wallClock
    ) { host, port in listening(Address(host: host, port: port)) }
    var all: [any Service] = [
      gateway, Ticker(log: log, partitions: gateway.partitions, now: wallClock, logger: logger),
    ]
    if let snapshots {
      all.append(
        Snapshotter(
          files: snapshots, log: log, partitions: gateway.partitions,
          interval: .seconds(settings.snapshotSeconds), logger: logger))
    }
    all += try services(log, logger)
    var group = ServiceGroupConfiguration(
      services: all.map { .init(service: $0, successTerminationBehavior: .ignore) },
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    group.maximumGracefulShutdownDuration = .seconds(30)
    try await ServiceGroup(configuration: group).run()
  }

  /// Beside the log; a log in memory has none.
  private var snapshotFiles: SnapshotFiles? {
    guard case .file(let path) = settings.log else { return nil }
    return SnapshotFiles(folder: path + "/snapshots")
  }

  /// The newest snapshot that fits and the log behind it, for every partition, on a thread each.
  private func startingStates(
    _ log: any EventLog, _ files: SnapshotFiles?
  ) async throws -> [GatewayServer.Start] {
    let logger = logger
    return try await withThrowingTaskGroup(of: (Int, GatewayServer.Start).self) { tasks in
      for partition in log.layout.partitions(of: .messages) {
        tasks.addTask {
          let fold = try await onThread("start \(partition)") {
            try startingState(partition, log, files, logger)
          }
          return (partition.index, fold)
        }
      }
      var starts: [Int: GatewayServer.Start] = [:]
      for try await (index, start) in tasks { starts[index] = start }
      return starts.sorted { $0.key < $1.key }.map(\.value)
    }
  }
}
