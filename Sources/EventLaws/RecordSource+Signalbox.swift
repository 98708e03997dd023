import EventStorage
import Events
import PropertyTesting

/// What stands in Signalbox's own topics.
extension RecordSource {
  /// Messages of a few channels, some of which expire, and time that passes.
  public static let messages = RecordSource(
    of: Partition(.messages, 0), SignalboxEvents.message,
    poison: anyPoison + [[0x0a, 2, 0x0a, 9], [0x0a, 3, 0x0a, 1, 0xff]],
    strangers: strangers(
      ["", "\0", "node/a", "\0A", "A\0", "a\u{a}\0b"], [nil, [0x0a, 0], [0x12, 0]]))

  /// Statuses of nodes, routes of slots and settings of clusters.
  public static let topology = RecordSource(
    of: Partition(.topology, 0), SignalboxEvents.topology, poison: anyPoison,
    strangers: strangers(
      ["", "slot/", "slot/07", "slot/4096", "node/", "node/\u{7}", "cluster/", "a\0k"],
      [nil, [0x12, 0], [0x1a, 0], [0x22, 0]])
      // Text that is none.
      + strangers(["node/n1"], [[0x12, 3, 0x22, 1, 0xff]])
      + strangers(["slot/0"], [[0x1a, 3, 0x0a, 1, 0xff]]),
    versions: topologyVersions)

  /// What nodes say of themselves. Not compacted.
  public static let observations = {
    var source = RecordSource(
      of: Partition(.observations, 0), SignalboxEvents.observation, poison: anyPoison,
      strangers: strangers(["", "\u{7}", "slot/1"], [nil, [0x4a, 0], [0x12, 0]]),
      versions: [
        VersionedFact(
          key: Array("n1".utf8),
          values: [[0x4a, 4, 0x10, 3, 0x08, 7], [0x4a, 4, 0x08, 7, 0x10, 3]])
      ])
    source.isCompacted = false
    return source
  }()

  /// Messages and topology in one stream, as a recorded system is replayed. Load reports are left out, because they may not be compacted.
  public static let everything = {
    var source = RecordSource(
      of: Partition(.messages, 0), SignalboxEvents.anything, poison: anyPoison,
      strangers: messages.strangers + topology.strangers, versions: topologyVersions)
    source.mergesPartitions = true
    return source
  }()

  private init(
    of partition: Partition, _ record: @escaping @Sendable (inout Choices) -> NewRecord,
    poison: [[UInt8]], strangers: [NewRecord], versions: [VersionedFact] = []
  ) {
    self.init(record: record)
    self.partition = partition
    self.poison = poison
    // Nothing, and a field of a later version.
    unknown = [[], [0xfa, 0x07, 1, 9]]
    self.strangers = strangers
    self.versions = versions
  }

  /// Cut short, of a wrong wire type, and two that are no fields.
  private static var anyPoison: [[UInt8]] { [[0x0a], [0x08, 1], [0xff], [0x00, 0]] }

  private static func strangers(_ keys: [String], _ values: [[UInt8]?]) -> [NewRecord] {
    keys.flatMap { key in values.map { NewRecord(key: Array(key.utf8), value: $0) } }
  }

  /// With the fields in another order, with one of a later version, and with a default written out.
  private static var topologyVersions: [VersionedFact] {
    [
      VersionedFact(
        key: Array("node/n1".utf8),
        values: [
          [0x12, 4, 0x10, 7, 0x08, 1], [0x12, 7, 0x08, 1, 0x10, 7, 0xc0, 0x3e, 5],
          [0x12, 6, 0x08, 1, 0x10, 7, 0x18, 0], [0x12, 4, 0x08, 1, 0x10, 7],
        ]),
      VersionedFact(
        key: Array("slot/0".utf8),
        values: [[0x1a, 5, 0x10, 9, 0x0a, 1, 0x61], [0x1a, 5, 0x0a, 1, 0x61, 0x10, 9]]),
    ]
  }
}
