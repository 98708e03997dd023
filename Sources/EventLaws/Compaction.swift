public import EventStorage
public import PropertyTesting

/// What compaction may leave of a history: a member of C(L).
///
/// Below a clean point a record may go if a later one below it has the same key. A tombstone below the tombstone horizon may go even
/// when it is its key's last, but only when nothing of the key is left before it. Order, offsets and times stay. The last record of a
/// partition always stays, as it does in a log whose newest segment is not compacted.
public struct Compaction: Hashable, Sendable {
  /// What is left.
  public var history: History
  /// Tombstones before this position may be gone.
  public var horizon: Offset
}

extension Compaction: CustomStringConvertible {
  /// What is left, and the horizon.
  public var description: String { "compacted, tombstone horizon \(horizon): \(history)" }
}

extension Choices {
  /// One of the legal compactions of a history; the simplest leaves of each key its last record.
  public mutating func compaction(of history: History) -> Compaction {
    let records = history.records
    let cleanPoint = records.count - int(in: 0...records.count)
    let horizon = int(in: 0...max(0, min(cleanPoint, records.count - 1)))
    var last: [[UInt8]: Int] = [:]
    for index in 0..<cleanPoint { last[records[index].key] = index }
    var isKept = records.map { _ in true }
    for index in 0..<cleanPoint where last[records[index].key] != index { isKept[index] = bool() }
    for index in 0..<horizon where records[index].value == nil && last[records[index].key] == index
    {
      guard bool() else { continue }
      for earlier in 0...index where records[earlier].key == records[index].key {
        isKept[earlier] = false
      }
      label("tombstone dropped")
    }
    let kept = records.indices.filter { isKept[$0] }.map { records[$0] }
    if kept.count < records.count { label("compacted") }
    return Compaction(
      history: History(history.partition, kept),
      // Between the last record that may be concerned and the next, as a log says it.
      horizon: history.position(after: horizon))
  }
}
