import Decisions
import EventStorage
import Events
import KafkaStorage
import Projections
import SegmentStorage

/// Moves an embedded log to Kafka: copies what it holds, proves that both fold to the same, and seals the old one.
///
/// Records keep their keys, values and times and get new offsets. Observations stay behind: what nodes asked for is decided before; but
/// their offsets number the lives of nodes, so they begin behind those that were given. Whatever goes wrong, the old log stays as it was
/// and can be served, and the new one can be opened by nobody, until the old one is sealed.
package struct Migration {
  /// How far it is.
  package struct Progress: Sendable {
    package var records: Int
    /// Of the whole, 0 to 1.
    package var share: Double
    package var elapsed: Duration
  }

  /// What came out.
  package struct Outcome: Sendable {
    package var records: Int
    /// By partition and projection; equal in both logs.
    package var digests: [(place: String, digest: String)]
    package var elapsed: Duration
    /// It had been moved before, all but for the last step.
    package var wasMoved = false
  }

  private let path: String
  private var options: KafkaLog.Options

  /// - Parameters:
  ///   - source: an embedded log. Nobody may have it open.
  ///   - settings: where it goes on, on Kafka, and how that is reached; there must be no log yet.
  package init(from source: LogURL, to settings: Settings) throws(SettingsFailure) {
    guard case .file(let path) = source else {
      throw SettingsFailure(description: "only an embedded log can be moved: write file:FOLDER")
    }
    guard case .kafka(let brokers, let prefix) = settings.log else {
      throw SettingsFailure(
        description: "a log is moved to Kafka: write kafka://HOST:PORT?prefix=NAME")
    }
    self.path = path
    options = settings.kafkaOptions(brokers, prefix)
    // Many records are under way at once, and nobody waits for a single one.
    options.appendTimeout = .seconds(60)
  }

  /// Moves the log, reporting now and then how far it is. Blocks.
  package func run(_ report: @escaping (Progress) -> Void) throws -> Outcome {
    let began = ContinuousClock.now
    var options = options
    if let destination = try LogSeal.read(at: path) {
      // Its brokers may be named otherwise now: it is the prefix that names it, and its identity that tells it.
      guard case .kafka(_, let prefix)? = try? LogURL(destination.url), prefix == options.prefix
      else {
        throw SettingsFailure(
          description: "\(path) was moved to \(destination.url) already; serve that one")
      }
      options.takeover = .finish(try identity(of: path))
      options.makesTopics = false
      let target = try KafkaLog(options)
      defer { target.close() }
      if let log = destination.log, log != target.identity {
        throw SettingsFailure(
          description:
            "\(path) was moved to \(destination.url) already, log \(log); \(options.url) is log "
            + "\(target.identity)")
      }
      try target.finishTakeover()
      return Outcome(records: 0, digests: [], elapsed: .now - began, wasMoved: true)
    }
    _ = try identity(of: path)
    var exclusive = SegmentedLog.Options()
    exclusive.maintenanceInterval = nil
    let source = try SegmentedLog(opening: path, options: exclusive)
    defer { source.close() }
    let nodes = try checkDecided(source)
    options.partitions = source.layout.partitions
    options.takeover = .begin(source.identity)
    let target = try KafkaLog(options)
    defer { target.close() }
    var copy = LogCopy(from: source, to: target) { records, share in
      report(Progress(records: records, share: share, elapsed: .now - began))
    }
    let digests = try copy.run()
    try copy.raiseObservations(above: nodes.map(\.incarnation).max() ?? 0)
    let seen = try copy.digestsOfTarget()
    for (expected, found) in zip(digests, seen) where expected != found {
      throw MigrationFailure(
        description: "\(expected.place) folds to \(expected.digest) in \(path) and to "
          + "\(found.digest) in \(options.url); nothing was moved: serve the old log, and delete the "
          + "topics of the new one")
    }
    try LogSeal.write(movedTo: options.url, as: target.identity, at: path)
    try target.finishTakeover()
    return Outcome(
      records: copy.records, digests: digests.map { ($0.place, $0.digest) },
      elapsed: .now - began)
  }

  /// The log must be there: opening one that is not would make it.
  private func identity(of path: String) throws(LogError) -> LogIdentity {
    var options = SegmentedLog.Options()
    options.isReadOnly = true
    let log = try SegmentedLog(opening: path, options: options)
    defer { log.close() }
    return log.identity
  }

  /// What nodes have asked for must be decided: their requests stay behind.
  private func checkDecided(_ log: SegmentedLog) throws -> [NodeEntry] {
    var directory = Fold<Directory>(Partition(.topology, 0))
    try directory.catchUp(with: log)
    let requests = try log.layout.partitions(of: .observations).map { partition in
      let bounds = try log.bounds(of: partition)
      var fold = Fold<MembershipRequests>(partition, position: bounds.start)
      try fold.catchUp(with: log)
      return fold.state
    }
    guard Membership.facts(of: requests, in: directory.state).isEmpty else {
      throw MigrationFailure(
        description: "nodes have asked \(path) for what is not decided yet; "
          + "serve it once more for a moment, then migrate")
    }
    return directory.state.nodes
  }
}

/// Why a log was not moved.
package struct MigrationFailure: Error, CustomStringConvertible {
  package let description: String
}
