package import EventStorage
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

  /// Folds, reporting now and then how far it is.
  package func run(_ report: (Progress) -> Void) throws -> Outcome {
    let clock = ContinuousClock()
    let began = clock.now
    var folds: [Fold<Channels>] = []
    var records = 0
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
      (folds, records) = try fold(
        SegmentedLog(opening: path, options: options), path, since: began, report)
    case .kafka(let brokers, let prefix):
      var options =
        settings?.kafkaOptions(brokers, prefix) ?? KafkaLog.Options(brokers: brokers)
      options.prefix = prefix
      options.partitions = nil
      options.makesTopics = false
      (folds, records) = try fold(KafkaLog(options), options.url, since: began, report)
    }
    return Outcome(channels: folds, records: records, elapsed: clock.now - began)
  }

  /// Folds every partition of messages of a log, and closes it.
  private func fold(
    _ log: some EventLog, _ name: String, since began: ContinuousClock.Instant,
    _ report: (Progress) -> Void
  ) throws -> ([Fold<Channels>], records: Int) {
    defer { log.close() }
    if let end, end.log != log.identity {
      throw SettingsFailure(
        description: "the position is of log \(end.log); \(name) is log \(log.identity)")
    }
    var folds: [Fold<Channels>] = []
    var records = 0
    let partitions = log.layout.partitions(of: .messages)
    for partition in partitions {
      let bounds = try log.bounds(of: partition)
      var sink = Until(
        lastTime, before: end?[partition], Fold<Channels>(partition, position: bounds.start))
      var position = bounds.start
      while position < bounds.end, !sink.isOver {
        position = try log.read(partition, from: position, bytesMax: 4 << 20, into: &sink)
        let length = max(1, Double(bounds.end.rawValue - bounds.start.rawValue))
        let share = Double(position.rawValue - bounds.start.rawValue) / length
        report(
          Progress(
            records: records + sink.records,
            share: (Double(partition.index) + share) / Double(partitions.count),
            elapsed: .now - began))
      }
      records += sink.records
      folds.append(sink.sink)
    }
    return (folds, records)
  }
}
