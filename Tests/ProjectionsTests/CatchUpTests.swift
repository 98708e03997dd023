import EventStorage
import Events
import Projections
import Testing

@Suite struct CatchUpTests {
  private let partition = Partition(.messages, 0)

  private func log(_ records: [(key: String, isDeletion: Bool)]) async throws -> MemoryLog {
    let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
    let channel = try ChannelName("c")
    for (key, isDeletion) in records {
      let message = Message(id: key, contentType: "", data: [1])
      let record = NewRecord(
        key: EventKey.message(channel, try MessageKey(key)).bytes,
        value: isDeletion ? nil : message.encoded)
      _ = try await log.append(AppendBatch([record], timestamp: 1), to: partition)
    }
    return log
  }

  @Test func `a fold that compaction overtakes while it reads keeps nothing deleted (law 7)`()
    async throws
  {
    let log = try await log([("a", false), ("b", false), ("a", true), ("c", false)])
    var fold = Fold<Channels>(partition)
    var reads = 0
    try fold.catchUp(with: log, bytesMax: 1) { _ in
      reads += 1
      if reads == 2 {
        // It has read `a`; now `a` and its tombstone go.
        try? log.compact(partition, before: Offset(4), dropTombstonesBefore: Offset(4))
      }
      return false
    }
    #expect(try fold.state.messages(in: ChannelName("c")).map(\.key) == ["b", "c"])
    #expect(fold.position == Offset(4))
  }

  @Test func `a fold from before the horizon begins anew (law 7)`() async throws {
    let log = try await log([("a", false), ("a", true), ("b", false)])
    var fold = Fold<Channels>(partition)
    try fold.catchUp(with: log, bytesMax: 1) { $0 == Offset(1) }
    #expect(fold.position == Offset(1))
    try log.compact(partition, before: Offset(3), dropTombstonesBefore: Offset(2))
    try fold.catchUp(with: log)
    #expect(try fold.state.messages(in: ChannelName("c")).map(\.key) == ["b"])
  }

  @Test func `a fold is at the end also when nothing is left of the last records`() async throws {
    let log = try await log([("a", false), ("b", false), ("a", true)])
    try log.compact(partition, before: Offset(3), dropTombstonesBefore: Offset(3))
    var fold = Fold<Channels>(partition)
    try fold.catchUp(with: log)
    #expect(fold.position == Offset(3))
  }
}
