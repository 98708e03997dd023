import EventStorage
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
  private let lastTime: Int64?

  /// - Parameter lastTime: milliseconds since 1970, or nil for everything.
  package init(of source: LogURL, until lastTime: Int64?) {
    self.source = source
    self.lastTime = lastTime
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
      let partitions = log.layout.partitions(of: .messages)
      for partition in partitions {
        let bounds = try log.bounds(of: partition)
        var sink = Until(lastTime, Fold<Channels>(partition, position: bounds.start))
        var position = bounds.start
        while position < bounds.end, !sink.isOver {
          position = try log.read(partition, from: position, bytesMax: 4 << 20, into: &sink)
          let length = max(1, Double(bounds.end.rawValue - bounds.start.rawValue))
          let share = Double(position.rawValue - bounds.start.rawValue) / length
          report(
            Progress(
              records: records + sink.records,
              share: (Double(partition.index) + share) / Double(partitions.count),
              elapsed: clock.now - began))
        }
        records += sink.records
        folds.append(sink.sink)
      }
    }
    return Outcome(channels: folds, records: records, elapsed: clock.now - began)
  }
}
