import Events

/// Random records over few keys, so that they meet often.
struct Story {
  var random: Seeded
  let channels: [ChannelName]
  private let keys: [MessageKey]
  /// Bodies as large as a page of their own, now and then.
  private let hasLargeBodies: Bool
  /// Whether time may run backwards, as no log lets it.
  private let hasLooseTime: Bool
  private var offset: Int64
  private var time: Int64

  init(
    seed: Int, channels: Int = 4, keys: Int = 5, hasLargeBodies: Bool = false,
    hasLooseTime: Bool = false
  ) throws {
    random = Seeded(seed)
    let longChannel = String(repeating: "c", count: ChannelName.bytesMax)
    let longKey = String(repeating: "k", count: MessageKey.bytesMax)
    self.channels = try (0..<channels).map { index throws(NameFailure) in
      try ChannelName(index == 2 ? longChannel : String("aaaé/bcdefgh".prefix(index + 1)))
    }
    self.keys = try (0..<keys).map { index throws(NameFailure) in
      try MessageKey(index == 3 ? longKey : "key \(index)")
    }
    self.hasLargeBodies = hasLargeBodies
    self.hasLooseTime = hasLooseTime
    offset = Int64(random.below(3))
    time = Int64(random.below(100))
  }

  mutating func records(_ count: Int) throws -> [Written] {
    try (0..<count).map { _ in try record() }
  }

  mutating func record() throws -> Written {
    var record = try content()
    record.offset = offset
    record.time = hasLooseTime ? max(0, time - Int64(random.below(30))) : time
    offset += 1 + (random.oneIn(5) ? Int64(random.below(4)) : 0)
    if random.oneIn(3) { time += Int64(random.below(20)) }
    return record
  }

  private mutating func content() throws -> Written {
    let channel = random.pick(channels)
    let key = random.pick(keys)
    let bytes = EventKey.message(channel, key).bytes
    switch random.below(20) {
    case 0...2: return Written(key: bytes, value: nil, meaning: .tombstone)
    case 3: return Written(key: bytes, value: random.pick(Story.poison), meaning: .poison)
    case 4: return Written(key: bytes, value: random.pick(Story.unknown), meaning: .unknown)
    case 5:
      let value = random.oneIn(2) ? nil : message().encoded
      return Written(key: random.pick(Story.foreignKeys), value: value, meaning: .foreignKey)
    case 6:
      return Written(key: EventKey.timePassed.bytes, value: TimePassed.encoded, meaning: .time)
    default:
      let message = message()
      return Written(
        key: bytes, value: message.encoded, meaning: .message(channel, key, message))
    }
  }

  private mutating func message() -> Message {
    let size =
      switch random.below(hasLargeBodies ? 12 : 9) {
      case 0: 0
      case 1...5: random.below(40)
      case 6...7: random.below(300)
      case 8: random.below(6_000)
      case 9: 4_096 + random.below(60_000)
      default: 65_000 + random.below(80_000)
      }
    return Message(
      id: random.oneIn(4) ? "" : "id \(random.below(1_000))",
      contentType: random.oneIn(2) ? "" : "text/plain", data: random.bytes(size),
      expiresAt: random.oneIn(3) ? max(1, time + Int64(random.below(80)) - 10) : 0)
  }

  /// Values that are no event: cut short, with the wrong wire type, with a message that is cut short.
  private static let poison: [[UInt8]] = [
    [0x0a], [0x08, 1], [0x0a, 2, 0x0a, 9], [0xff], [0x00, 0],
  ]
  /// Nothing, a field from the future, and an event that is no message.
  private static let unknown: [[UInt8]] = [[], [0xfa, 0x07, 1, 9], [0x12, 0]]
  private static let foreignKeys: [[UInt8]] = [
    [], [0], Array("node/a".utf8), [0, 65], [65, 0],
    Array(repeating: 65, count: ChannelName.bytesMax + 1) + [0, 65],
    [65, 0] + Array(repeating: 65, count: MessageKey.bytesMax + 1),
    Array(repeating: 65, count: 70_000) + [0, 65],
    [65, 0] + Array(repeating: 65, count: 70_000),
  ]
}

extension Story {
  /// The records in batches of any size.
  mutating func split(_ records: [Written]) -> [[Written]] {
    var batches: [[Written]] = []
    var rest = records[...]
    while !rest.isEmpty {
      let count = 1 + random.below(min(rest.count, 12))
      batches.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return batches
  }
}
