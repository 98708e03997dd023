import EventStorage
import Events
import Projections
import Testing

@Suite struct ProjectionLawsTests {
  private let partition = Partition(.messages, 0)

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

  @Test func `law 2: any split into batches gives the same fold`() throws {
    for seed in 0..<150 {
      var story = try Story(seed: 100 + seed)
      let records = try story.records(80)
      var whole = Channels()
      whole.take(records)
      var one = Channels()
      for record in records { one.take([record]) }
      #expect(one.digest == whole.digest)
      #expect(one.counts == whole.counts)
      #expect(one.nextExpiry == whole.nextExpiry)
      var split = Channels()
      for batch in story.split(records) { split.take(batch) }
      #expect(split.digest == whole.digest)
      #expect(split.heldBytes == whole.heldBytes)
    }
  }

  @Test func `laws 4 and 5: a fold at a position takes no record twice and never goes back`() throws
  {
    for seed in 0..<150 {
      var story = try Story(seed: 300 + seed)
      let records = try story.records(80)
      var straight = Fold<Channels>(partition)
      straight.take(records)
      var fold = Fold<Channels>(partition)
      var done = 0
      while done < records.count {
        let from = story.random.below(done + 1)
        let to = min(records.count, from + 1 + story.random.below(20))
        let before = fold.position
        fold.take(records[from..<to])
        #expect(fold.position >= before)
        done = max(done, to)
        var sofar = Channels()
        sofar.take(records[..<done])
        #expect(fold.position == Batch(records[..<done]).next)
        #expect(fold.state.digest == sofar.digest)
        #expect(fold.state.counts == sofar.counts)
      }
      #expect(fold.state.digest == straight.state.digest)
      #expect(fold.position == straight.position)
    }
  }

  @Test func `law 6: a compacted log folds to the same state`() throws {
    for seed in 0..<200 {
      var story = try Story(seed: 500 + seed)
      let records = try story.records(100)
      let whole = digest(of: records)
      for _ in 0..<4 {
        let compacted = story.compaction(of: records)
        #expect(digest(of: compacted) == whole)
        // Compacting what was compacted is legal too.
        #expect(digest(of: story.compaction(of: compacted)) == whole)
      }
    }
  }

  @Test func `law 8: a deleted key stays deleted whatever older record comes again`() throws {
    for seed in 0..<60 {
      var story = try Story(seed: 800 + seed)
      var records = try story.records(60)
      guard let victim = records.last(where: { $0.value != nil && $0.key.contains(0) }) else {
        continue
      }
      let next = try story.record()
      records.append(.tombstone(of: victim, at: next.offset, time: next.time))
      var fold = Fold<Channels>(partition)
      fold.take(records)
      let digest = fold.state.digest
      for _ in 0..<10 {
        let from = story.random.below(records.count)
        fold.take(records[from..<min(records.count, from + 1 + story.random.below(30))])
        #expect(fold.state.digest == digest)
      }
      if let (channel, key) = EventKey.message(bytes: victim.key) {
        #expect(!fold.state.messages(in: channel).contains { $0.key == key.text })
      }
    }
  }

  @Test func `law 9: partitions do not see each other`() throws {
    for seed in 0..<60 {
      var random = Seeded(seed)
      var stories = try (0..<3).map { try Story(seed: 1_000 + 3 * seed + $0) }
      let logs = try stories.indices.map { try stories[$0].records(60) }
      var batches = stories.indices.map { stories[$0].split(logs[$0])[...] }
      var folds = logs.indices.map { Fold<Channels>(Partition(.messages, $0)) }
      while let some = batches.indices.filter({ !batches[$0].isEmpty }).first {
        let index = (some + random.below(3)) % 3
        if let batch = batches[index].popFirst() { folds[index].take(batch) }
      }
      for (fold, log) in zip(folds, logs) { #expect(fold.state.digest == digest(of: log)) }
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

  @Test func `law 11: a type from the future changes nothing but a counter and its own key`() throws
  {
    let message = Message(id: "1", contentType: "", data: [1])
    let known = try Written.message("a", "x", message, at: 0)
    var future = try Written.message("a", "y", message, at: 1)
    future.value = [0xfa, 0x07, 2, 9, 9]
    var channels = Channels()
    channels.take([known])
    let digest = channels.digest
    channels.take([future])
    #expect(channels.digest == digest)
    #expect(channels.counts.unknown == 1)
    #expect(channels.counts.poison == 0)
  }

  private func bytes(of channels: Channels) -> [UInt8] {
    var bytes: [UInt8] = []
    channels.encode(into: &bytes)
    return bytes
  }

  private func digest(of records: [Written]) -> String {
    var channels = Channels()
    channels.take(records)
    return channels.digest
  }
}
