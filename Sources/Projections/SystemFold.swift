public import EventStorage
import Events

/// All projections of one stream that mixes every topic: what a recorded system is replayed through. Each envelope is read once.
///
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

  /// Folds a batch.
  ///
  /// The tables share no state, so it does not matter that messages are folded behind the rest of their batch.
  public mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    channels.beginBatch()
    for index in rows.indices {
      let row = rows[index]
      records += 1
      var envelope = EventEnvelope.unknown
      if !row.isTombstone { envelope = (try? EventEnvelope.read(row.value, of: bytes)) ?? .unknown }
      switch envelope {
      case .event(.messagePublished, let body):
        channels.gather(row, body: body, of: bytes)
      case .event(.timePassed, _): channels.pass(row.timestamp)
      case .event(.loadReported, _), .event(.nodeStatus, _):
        directory.apply(row, envelope, of: bytes)
      case .event(.slotRoute, _), .event(.clusterSettings, _):
        routingTable.apply(row, envelope, of: bytes)
      case .event, .unknown:
        // Only the key tells whose it was.
        if EventKey.separator(row.key, of: bytes) != nil {
          channels.gather(row, body: nil, of: bytes)
        } else {
          directory.apply(row, envelope, of: bytes)
          routingTable.apply(row, envelope, of: bytes)
        }
      }
    }
    channels.endBatch(bytes)
  }
}
