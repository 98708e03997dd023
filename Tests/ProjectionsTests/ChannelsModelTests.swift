import Events
import Projections
import Testing

@Suite struct ChannelsModelTests {
  @Test(arguments: 0..<4)
  func `channels hold what a dictionary would hold`(shard: Int) throws {
    for seed in 0..<500 {
      try compare(
        try Story(seed: shard * 1_000 + seed, hasLooseTime: seed % 3 == 0), records: 60,
        batchMax: 16)
    }
  }

  @Test(arguments: 0..<6)
  func `channels hold what a dictionary would hold when there are many`(seed: Int) throws {
    try compare(
      try Story(seed: 9_000 + seed, channels: 8, keys: 120), records: 6_000, batchMax: 800)
  }

  @Test(arguments: 0..<4)
  func `channels hold what a dictionary would hold when bodies are large`(seed: Int) throws {
    try compare(
      try Story(seed: 7_000 + seed, channels: 3, keys: 12, hasLargeBodies: true), records: 1_000,
      batchMax: 150)
  }

  private func compare(_ start: Story, records: Int, batchMax: Int) throws {
    var story = start
    var model = ChannelsModel()
    var channels = Channels()
    channels.collectsExpired = true
    var rest = records
    var earlier: (channels: Channels, model: ChannelsModel)?
    while rest > 0 {
      let batch = try story.records(min(rest, 1 + story.random.below(batchMax)))
      rest -= batch.count
      channels.take(batch)
      model.take(batch)
      try agree(&channels, &model, on: story.channels)
      guard var copy = earlier else {
        earlier = (channels, model)
        continue
      }
      if story.random.oneIn(3) {
        // A copy goes its own way, and neither notices the other.
        let other = try story.records(1 + story.random.below(batchMax))
        copy.channels.take(other)
        copy.model.take(other)
        try agree(&copy.channels, &copy.model, on: story.channels)
        earlier = story.random.oneIn(2) ? (channels, model) : copy
      }
    }
    if var copy = earlier { try agree(&copy.channels, &copy.model, on: story.channels) }
  }

  private func agree(
    _ channels: inout Channels, _ model: inout ChannelsModel, on names: [ChannelName]
  ) throws {
    for name in names {
      try #require(channels.seen(in: name) == model.seen(in: name))
    }
    try #require(channels.seen(in: ChannelName("nobody's")) == [])
    try #require(channels.count == model.count)
    try #require(channels.counts == model.counts)
    try #require(channels.logTime == model.logTime)
    try #require(channels.heldBytes == model.heldBytes)
    try #require(channels.nextExpiry == model.nextExpiry)
    try #require(channels.takeGone() == model.takeGone())
  }
}
