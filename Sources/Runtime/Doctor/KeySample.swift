import EventStorage
import Events

/// Looks at the keys of records as they are read.
struct KeySample: RecordSink {
  /// The traps that it looks for, and what is said when there is nothing.
  static let traps = [
    "T4": "every key has one kind of event", "T10": "keys are as Signalbox writes them",
    "T11": "every record has a key", "T13": "every record lies in the partition of its channel",
  ]
  /// Places that are named; more are counted.
  private static let namedMax = 3

  private let partition: Partition
  private let partitions: Int
  /// Records that were read.
  private(set) var count = 0
  private var places: [String: [Offset]] = [:]
  private var counts: [String: Int] = [:]

  init(_ partition: Partition, of layout: LogLayout) {
    self.partition = partition
    partitions = layout.partitions
  }

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices {
      count += 1
      look(at: rows[index], bytes)
    }
  }

  private mutating func look(at row: RecordRow, _ bytes: RawSpan) {
    let key = bytes.withUnsafeBytes { Array($0[row.key]) }
    if key.isEmpty { return note("T11", row.offset) }
    if key == EventKey.timePassed.bytes { return }
    switch partition.topic {
    case .messages:
      guard let (channel, name) = EventKey.message(bytes: key),
        EventKey.message(channel, name).bytes == key
      else { return note("T10", row.offset) }
      if Slot(channel: channel).partition(of: partitions) != partition.index {
        note("T13", row.offset)
      }
      if let type = type(of: row, bytes), type != .messagePublished { note("T4", row.offset) }
    case .topology:
      let text = String(decoding: key, as: UTF8.self)
      if !["node/", "slot/", "cluster/"].contains(where: text.hasPrefix) {
        return note("T10", row.offset)
      }
      if text.hasPrefix("node/"), let type = type(of: row, bytes), type != .nodeStatus {
        note("T4", row.offset)
      }
      if text.hasPrefix("slot/"), let type = type(of: row, bytes), type != .slotRoute {
        note("T4", row.offset)
      }
    case .observations, .deliveries: break
    }
  }

  /// Nil for a tombstone, and for what nobody here knows (law 11).
  private func type(of row: RecordRow, _ bytes: RawSpan) -> EventType? {
    guard !row.isTombstone,
      case .event(let type, _)? = try? EventEnvelope.read(row.value, of: bytes)
    else { return nil }
    return type
  }

  private mutating func note(_ trap: String, _ offset: Offset) {
    counts[trap, default: 0] += 1
    if places[trap, default: []].count < KeySample.namedMax {
      places[trap, default: []].append(offset)
    }
  }

  /// What was found.
  var examinations: [Examination] {
    counts.sorted { $0.key < $1.key }.map { trap, count in
      let offsets = (places[trap] ?? []).map { "\($0)" }.joined(separator: ", ")
      let what =
        switch trap {
        case "T4": "records of a key are of another kind than the key says; who writes them?"
        case "T10": "records have keys that Signalbox does not write; who writes them?"
        case "T11": "records have no key, and compaction will stop at them; who writes them?"
        default: "records lie in another partition than their channel's: nobody reads them there"
        }
      return Examination(
        trap, trap == "T10" ? .advised : .refused,
        "\(partition): \(count) \(what) (offsets \(offsets))")
    }
  }
}
