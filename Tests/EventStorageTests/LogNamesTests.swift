import EventStorage
import Testing

@Suite struct LogNamesTests {
  @Test func `topology has one partition, every other topic as many as the log was made with`() {
    let layout = LogLayout(partitions: 3)
    #expect(
      layout.all.map(\.description) == [
        "observations/0", "observations/1", "observations/2", "topology/0", "messages/0",
        "messages/1", "messages/2", "deliveries/0", "deliveries/1", "deliveries/2",
      ])
    #expect(layout.all == layout.all.sorted())
    #expect(layout.partitions(of: .topology) == [Partition(.topology, 0)])
    #expect(LogLayout(partitions: LogLayout.partitionsMax).all.count == 3 * 256 + 1)
  }

  @Test func `a layout without partitions is a mistake`() async {
    await #expect(processExitsWith: .failure) { _ = LogLayout(partitions: 0) }
  }

  @Test func `a layout with too many partitions is a mistake`() async {
    await #expect(processExitsWith: .failure) {
      _ = LogLayout(partitions: LogLayout.partitionsMax + 1)
    }
  }

  @Test func `only observations are not compacted`() {
    #expect(Topic.allCases.filter { !$0.isCompacted } == [.observations])
  }

  @Test(
    arguments: [
      (0, "0000000000000000"), (0xabc, "0000000000000abc"), (.max, "ffffffffffffffff"),
    ] as [(UInt64, String)])
  func `an identity is sixteen digits`(_ bits: UInt64, _ text: String) {
    #expect(LogIdentity(bits).description == text)
    #expect(LogIdentity(text) == LogIdentity(bits))
  }

  @Test(arguments: ["", "abc", "00000000000000000", "000000000000000g", "-000000000000001"])
  func `other texts are no identity`(_ text: String) {
    #expect(LogIdentity(text) == nil)
  }

  /// One line each: what, where, what to do.
  @Test(
    arguments: [
      (.noSuchPartition(Partition(.topology, 1)), "topology/1 is not a partition of this log"),
      (
        .tooLarge(what: "bytes of record 3", size: 5, limit: 4),
        "bytes of record 3: 5, but the limit is 4; nothing was appended"
      ),
      (
        .tooLarge(what: "the batch", size: 0, limit: 4), "the batch is empty; nothing was appended"
      ),
      (
        .fenced(writer: Writer(id: 1, epoch: 2), current: 3),
        "writer 1 of epoch 2 is fenced by epoch 3; stop it"
      ),
      (
        .full(detail: "0 bytes left"),
        "the log has no room: 0 bytes left; make space and start again"
      ),
      (
        .stopped(detail: "fdatasync failed"),
        "the log has stopped: fdatasync failed; check the disk and start again"
      ),
      (.closed, "the log is closed"),
      (
        .corrupt(Partition(.messages, 0), at: Offset(9), detail: "checksum"),
        "messages/0 is damaged at offset 9: checksum; restore it from a copy"
      ),
      (
        .trimmed(Partition(.messages, 0), start: Offset(9)),
        "messages/0 holds nothing before offset 9; read from there"
      ),
      (
        .beyondEnd(Partition(.messages, 0), end: Offset(9)),
        "messages/0 ends at offset 9; the position asked for lies behind it"
      ),
      (
        .cannotOpen(path: "data", reason: "it is locked", remedy: "stop the other process"),
        "cannot open the log data: it is locked; stop the other process"
      ),
    ] as [(LogError, String)])
  func `an error says what, where and what to do`(_ error: LogError, _ text: String) {
    #expect("\(error)" == text)
  }
}
