package import EventStorage
import Foundation
import KafkaStorage
package import Projections
import SegmentStorage

/// Folds a log up to a time, without serving it.
package struct Replay {
  /// How far a replay has come.
  package struct Progress: Sendable {
    package var records: Int
    /// Of the whole, 0 to 1.
    package var share: Double
    package var elapsed: Duration
  }

  /// What came out.
  package struct Outcome {
    package var channels: [Fold<Channels>]
    /// What topology says; nil of a recording, which has none, and of a past that compaction has taken.
    package var directory: Fold<Directory>?
    package var routes: Fold<RoutingTable>?
    package var records: Int
    package var elapsed: Duration
  }

  private let source: LogURL
  private let settings: Settings?
  private let lastTime: Int64?
  private let end: Position?

  /// - Parameters:
  ///   - settings: how a log on Kafka is reached; without them as by default.
  ///   - lastTime: milliseconds since 1970, or nil for everything.
  ///   - end: a position of this log that is not passed, or nil for everything.
  package init(
    of source: LogURL, with settings: Settings? = nil, until lastTime: Int64? = nil,
    before end: Position? = nil
  ) {
    self.source = source
    self.settings = settings
    self.lastTime = lastTime
    self.end = end
  }

  /// Clocks may differ by an hour.
  private static var newestCredible: Int64 {
    Int64(Date().timeIntervalSince1970 * 1000) + 3_600_000
  }

  /// Folds, reporting now and then how far it is.
  package func run(_ report: (Progress) -> Void) throws -> Outcome {
    let clock = ContinuousClock()
    let began = clock.now
    var folds: [Fold<Channels>] = []
    var records = 0
    var directory: Fold<Directory>?
    var routes: Fold<RoutingTable>?
    switch source {
    case .memory:
      throw SettingsFailure(
        description: "memory: holds nothing to replay; name file:FOLDER or recording:FILE")
    case .recording(let path):
      guard end == nil else {
        throw SettingsFailure(description: "a recording has no positions; name a time instead")
      }
      let recording = try RecordingFile(opening: path + ".log")
      var cursor = try recording.makeCursor()
      var sink = Until(lastTime, Fold<Channels>(Partition(.messages, 0)))
      while !sink.isOver, try cursor.next(into: &sink) {
        report(
          Progress(
            records: sink.records,
            share: Double(cursor.bytesRead) / Double(max(1, recording.manifest.bytes)),
            elapsed: clock.now - began))
      }
      records = sink.records
      folds = [sink.sink]
    case .file(let path):
      var options = SegmentedLog.Options()
      options.isReadOnly = true
      let log = try SegmentedLog(opening: path, options: options)
      defer { log.close() }
      (folds, records) = try fold(log, path, since: began, report)
      directory = try topology(of: log, path)
      routes = try topology(of: log, path)
    case .kafka(let brokers, let prefix):
      var options =
        settings?.kafkaOptions(brokers, prefix) ?? KafkaLog.Options(brokers: brokers)
      options.prefix = prefix
      options.partitions = nil
      options.makesTopics = false
      let log = try KafkaLog(options)
      defer { log.close() }
      (folds, records) = try fold(log, options.url, since: began, report)
      directory = try topology(of: log, options.url)
      routes = try topology(of: log, options.url)
    }
    return Outcome(
      channels: folds, directory: directory, routes: routes, records: records,
      elapsed: clock.now - began)
  }

  /// Folds every partition of messages of a log.
  package func fold(
    _ log: some EventLog, _ name: String, since began: ContinuousClock.Instant,
    _ report: (Progress) -> Void
  ) throws -> ([Fold<Channels>], records: Int) {
    if let end, end.log != log.identity {
      throw SettingsFailure(
        description: "the position is of log \(end.log); \(name) is log \(log.identity)")
    }
    var folds: [Fold<Channels>] = []
    var records = 0
    let partitions = log.layout.partitions(of: .messages)
    for partition in partitions {
      let sink = try fold(partition, of: log, name, as: Channels.self) { count, share in
        report(
          Progress(
            records: records + count,
            share: (Double(partition.index) + share) / Double(partitions.count),
            elapsed: .now - began))
      }
      records += sink.records
      folds.append(sink.sink)
    }
    return (folds, records)
  }

  /// Folds what the log says of nodes and routes, up to the same place as its messages; nil when that cannot be told any more.
  private func topology<State: Projection>(
    of log: some EventLog, _ name: String, as projection: State.Type = State.self
  ) throws -> Fold<State>? {
    do {
      return try fold(Partition(.topology, 0), of: log, name, as: projection) { _, _ in }.sink
    } catch is PastIsGone {
      return nil
    }
  }

  /// Folds a partition, from the start again when compaction overtakes it (law 7), and says so when the place asked for is gone
  /// (law 30).
  private func fold<State: Projection>(
    _ partition: Partition, of log: some EventLog, _ name: String, as projection: State.Type,
    _ report: (_ records: Int, _ share: Double) -> Void
  ) throws -> Until<Fold<State>> {
    let whole = try log.bounds(of: partition)
    var bounds = whole
    while true {
      var sink = Until(
        lastTime, newestCredible: Replay.newestCredible, before: end?[partition],
        Fold<State>(partition, position: bounds.start))
      let watch = TombstoneWatch(since: bounds)
      var verdict = TombstoneWatch.Verdict.goOn
      try log.readAhead(partition, from: bounds.start, to: whole.end, into: &sink) {
        sink, read throws(LogError) in
        bounds = try log.bounds(of: partition)
        verdict = watch.verdict(afterReadingFrom: read.lowerBound, bounds)
        let length = max(1, Double(whole.end.rawValue - whole.start.rawValue))
        report(sink.records, Double(read.upperBound.rawValue - whole.start.rawValue) / length)
        return verdict == .goOn && !sink.isOver
      }
      guard verdict == .goOn else { continue }
      try TimeTravel(lastTime: lastTime, end: end?[partition]).check(
        partition, of: name, bounds, folded: sink.records, before: sink.sink.position)
      return sink
    }
  }
}
