import EventStorage
import Events
import Projections
import Testing

@Suite struct SystemFoldTests {
  @Test func `one stream of everything folds as each projection folds it`() throws {
    for seed in 0..<300 {
      var story = TopologyStory(seed: UInt64(seed))
      let told = try story.records(1 + story.below(120), of: TopologyStory.Topic.allCases)
      var system = SystemFold()
      var channels = Channels()
      var directory = Directory()
      var routingTable = RoutingTable()
      for batch in story.batches(of: told) {
        system.hear(batch)
        channels.hear(batch)
        directory.hear(batch)
        routingTable.hear(batch)
      }
      #expect(system.channels.digest == channels.digest, "seed \(seed)")
      #expect(system.directory.digest == directory.digest, "seed \(seed)")
      #expect(system.routingTable.digest == routingTable.digest, "seed \(seed)")
      var whole = SystemFold()
      whole.hear(told)
      #expect(whole.digest == system.digest && whole.counts == system.counts, "seed \(seed)")
    }
  }

  /// Laws 10 and 11.
  @Test func `every record that cannot be used is counted once, by one projection`() throws {
    for seed in 0..<300 {
      var story = TopologyStory(seed: UInt64(seed))
      let told = try story.records(1 + story.below(80), of: TopologyStory.Topic.allCases)
      var system = SystemFold()
      system.hear(told)
      #expect(system.counts.records == UInt64(told.count))
      #expect(system.counts.poison == UInt64(told.count { $0.use == .poison }), "seed \(seed)")
      #expect(system.counts.unknown == UInt64(told.count { $0.use == .unknown }), "seed \(seed)")
      #expect(
        system.poisoned.map(\.offset.rawValue)
          == told.filter { $0.use == .poison }.map(\.offset), "seed \(seed)")
    }
  }

  /// Law 6: the truth of a key is its last record, whatever that is.
  @Test func `a message under the key of a status is poison and takes the status away`() throws {
    var system = SystemFold()
    let message = Message(id: "i", contentType: "", data: []).encoded
    system.hear([try .status("n1"), Told("node/n1", message)])
    #expect(system.directory.nodes.isEmpty)
    #expect(system.counts.poison == 1)
  }

  @Test func `time passes for messages with every record`() throws {
    var system = SystemFold()
    var status = try Told.status("n1")
    status.time = 50
    let message = Message(id: "i", contentType: "", data: [], expiresAt: 50)
    system.hear([Told("a\0k", message.encoded)])
    #expect(system.channels.count == 1)
    system.hear([status])
    #expect(system.channels.count == 0 && system.channels.logTime == 50)
  }

  /// Law 1: another digest is another fold version.
  @Test func `the digest of a fixed story is the same on every machine`() throws {
    var story = TopologyStory(seed: 2013)
    var system = SystemFold()
    system.hear(try story.records(500, of: TopologyStory.Topic.allCases))
    #expect(system.digest == "a5f8aa6b1b839cb198e5391134ee8c1af8f7d29ba09eef13ae1d4ce309a72e2c")
  }
}
