import EventStorage
import Foundation

/// What a fold to a place of the past must not stand on: records that compaction has taken (law 30).
struct TimeTravel {
  /// Milliseconds since 1970: the last time that was read. Nil for everything.
  let lastTime: Int64?
  /// The position that was not passed. Nil for everything.
  let end: Offset?

  /// - Parameters:
  ///   - bounds: of the partition, asked for after it was read: a log may be compacted meanwhile.
  ///   - records: how many were folded.
  ///   - position: the position behind them, or of the first record that was not.
  /// - Throws: when the state at this place cannot be told from the log any more.
  func check(
    _ partition: Partition, of name: String, _ bounds: LogBounds, folded records: Int,
    before position: Offset
  ) throws(PastIsGone) {
    let isBehind =
      (lastTime ?? .max) >= bounds.cleanTime && (end ?? bounds.end) >= bounds.cleanPoint
    // Where no offset is missing nothing is gone, whatever may have been compacted behind it.
    let isWhole = Int64(records) == position.rawValue
    guard isBehind || isWhole else {
      throw PastIsGone(
        partition: partition, name: name, point: bounds.cleanPoint, time: bounds.cleanTime)
    }
  }
}

/// Compaction has taken what a log said at the place asked for.
package struct PastIsGone: Error, CustomStringConvertible {
  let partition: Partition
  let name: String
  let point: Offset
  let time: Int64

  package var description: String {
    let time = Date(timeIntervalSince1970: Double(time) / 1000)
      .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    return
      "\(partition) of \(name) is compacted up to offset \(point) and \(time): what it said before cannot be told "
      + "any more; ask for that time or a later one, or replay a copy of the log that was made before"
  }
}
