import EventStorage
import Events
import Projections
import Testing

/// What the law kit (`EventLawsTests`) does not say of channels.
@Suite struct ProjectionLawsTests {
  @Test func `law 1: the canonical bytes do not depend on how a state came about`() throws {
    for seed in 0..<60 {
      var story = try Story(seed: seed, keys: 8)
      let records = try story.records(150)
      var straight = Channels()
      straight.take(records)
      var again = Channels()
      again.take(records)
      #expect(again.digest == straight.digest)

      // What is left, in any order, after many other keys that are gone.
      var model = ChannelsModel()
      model.take(records)
      var left = model.records.sorted { $0.offset < $1.offset }
      story.random.shuffle(&left)
      var other = Channels()
      let strangers = try (0..<story.random.below(200)).map {
        try Written.message(
          "stranger \($0)", "k", Message(id: "", contentType: "", data: []), at: 0)
      }
      other.take(strangers)
      for record in left { other.take([record]) }
      other.take(strangers.map { .tombstone(of: $0, at: 0) })
      other.take([
        Written(
          key: EventKey.timePassed.bytes, value: TimePassed.encoded, meaning: .time,
          time: straight.logTime)
      ])
      #expect(bytes(of: other) == bytes(of: straight))
    }
  }

  @Test func `law 2: what channels tell beside their state does not depend on batches either`()
    throws
  {
    for seed in 0..<150 {
      var story = try Story(seed: 100 + seed)
      let records = try story.records(80)
      var whole = Channels()
      whole.take(records)
      var split = Channels()
      for batch in story.split(records) { split.take(batch) }
      #expect(split.nextExpiry == whole.nextExpiry)
      #expect(split.heldBytes == whole.heldBytes)
    }
  }

  @Test func `law 10: poison takes its own key away, is counted, and gives way to the next`() throws
  {
    let message = Message(id: "1", contentType: "", data: [1])
    let records = try [
      Written.message("a", "x", message, at: 0), Written.message("a", "y", message, at: 1),
    ]
    var channels = Channels()
    channels.take(records)
    for value: [UInt8] in [[0x0a, 5], [0x0a, 2, 0x0a, 9], [0x0a, 2, 0x08, 1], [0x0a, 1, 0xff]] {
      let before = channels.counts.poison
      var bad = records[0]
      bad.value = value
      channels.take([bad])
      #expect(channels.counts.poison == before + 1)
      #expect(try channels.seen(in: ChannelName("a")).map(\.key) == ["y"])
      channels.take([records[0]])
      #expect(try channels.seen(in: ChannelName("a")).map(\.key) == ["x", "y"])
    }
  }

  @Test func `law 10: a record without a message's key is counted once`() {
    var channels = Channels()
    let key = Array("node/a".utf8)
    let values: [[UInt8]?] = [nil, [0x0a], Message(id: "", contentType: "", data: [2]).encoded]
    for value in values { channels.take([Written(key: key, value: value, meaning: .foreignKey)]) }
    channels.take([Written(key: [], value: nil, meaning: .foreignKey)])
    #expect(channels.counts.poison == 4)
    channels.take([Written(key: key, value: [0xfa, 0x07, 1, 9], meaning: .unknown)])
    #expect(channels.counts.poison == 4)
    #expect(channels.counts.unknown == 1)
    #expect(channels.counts.records == 5)
    #expect(channels.count == 0)
  }

  private func bytes(of channels: Channels) -> [UInt8] {
    var bytes: [UInt8] = []
    channels.encode(into: &bytes)
    return bytes
  }
}
