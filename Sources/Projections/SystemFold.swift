import Crypto
public import EventStorage
import Events

/// All projections of one stream that mixes every topic: what a recorded system is replayed through. Each envelope is read once.
///
/// A record goes to the projection that its key names, whatever its value is: the truth of a key is its last record (law 6). Keys do
/// not tell a node that is called `node/a` or `slot/1` from a fact about one, so a stream that mixes topics must have none.
/// A running instance folds each topic by itself, with `Fold`.
public struct SystemFold: RecordSink, Sendable {
  /// The messages.
  public private(set) var channels = Channels()
  /// The nodes.
  public private(set) var directory = Directory()
  /// The routes.
  public private(set) var routingTable = RoutingTable()
  /// Records read.
  public private(set) var records: UInt64 = 0

  /// Nothing read.
  public init() {}

  /// What was met. Each record that could not be used is counted by one projection.
  public var counts: FoldCounts {
    var counts = FoldCounts()
    counts.records = records
    for part in [channels.counts, directory.counts, routingTable.counts] {
      counts.poison += part.poison
      counts.unknown += part.unknown
    }
    return counts
  }

  /// The last records that could not be used, by offset.
  public var poisoned: [PoisonRecord] {
    [channels.poisoned, directory.poisoned, routingTable.poisoned].flatMap(\.records)
      .sorted { $0.offset < $1.offset }.suffix(RecentPoison.recordsMax)
  }

  /// SHA-256 of the three canonical encodings one behind the other, each behind its length, in hexadecimal.
  public var digest: String {
    var hash = SHA256()
    for part: any Projection in [channels, directory, routingTable] {
      var state: [UInt8] = []
      part.encode(into: &state)
      var length: [UInt8] = []
      length.append(littleEndian: UInt64(state.count))
      hash.update(data: length)
      hash.update(data: state)
    }
    return hexadecimal(hash.finalize())
  }

  /// Folds a batch.
  ///
  /// The projections share no state, so it does not matter that messages are folded behind the rest of their batch.
  public mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    records += UInt64(rows.count)
    channels.beginBatch()
    var newest: Int64 = 0
    for index in rows.indices {
      let row = rows[index]
      newest = max(newest, row.timestamp)
      let meaning = RecordMeaning(row, in: bytes)
      if channels.gather(row, meaning, of: bytes) { continue }
      if case .event(.messagePublished, _) = meaning {
        channels.countForeign(row, meaning, of: bytes)
      }
      if RoutingTable.owns(row.key, of: bytes) {
        routingTable.apply(row, meaning, of: bytes)
      } else {
        directory.apply(row, meaning, of: bytes)
      }
    }
    channels.endBatch(bytes, logTime: newest)
  }
}
