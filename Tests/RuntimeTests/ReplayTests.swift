import EventStorage
import Events
import Projections
import Runtime
import Testing

@Suite struct ReplayTests {
  /// Law 7. Two reads: the first holds four records of a mebibyte.
  @Test func `a replay that compaction overtakes keeps nothing deleted`() async throws {
    let partition = Partition(.messages, 0)
    let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
    let channel = try ChannelName("c")
    for (key, size) in [("a", 1 << 20), ("b", 1 << 20), ("c", 1 << 20), ("d", 1 << 20), ("a", nil)]
    {
      let value = size.map {
        Message(id: key, contentType: "", data: [UInt8](repeating: 1, count: $0)).encoded
      }
      let record = NewRecord(
        key: EventKey.message(channel, try MessageKey(key)).bytes, value: value)
      _ = try await log.append(AppendBatch([record], timestamp: 1), to: partition)
    }
    var reads = 0
    let (folds, records) = try Replay(of: .memory).fold(log, "memory:", since: .now) { _ in
      reads += 1
      if reads == 1 {
        try? log.compact(partition, before: Offset(5), dropTombstonesBefore: Offset(5))
      }
    }
    #expect(reads > 1)
    #expect(records == 3)
    #expect(folds[0].state.messages(in: channel).map(\.key) == ["b", "c", "d"])
  }
}
