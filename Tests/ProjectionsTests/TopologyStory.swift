import EventStorage
import Events
import SwiftProtobuf

/// A record of topology, observations or messages, and what a fold should count it as.
struct Told {
  enum Use { case used, poison, unknown }

  var key: [UInt8]
  var value: [UInt8]?
  var use = Use.used
  var offset: Int64 = 0
  var time: Int64 = 0

  init(_ key: String, _ value: [UInt8]?, _ use: Use = .used) {
    self.key = Array(key.utf8)
    self.value = value
    self.use = use
  }

  init(_ key: String, _ fill: (inout WireEvent) -> Void) throws {
    var event = WireEvent()
    fill(&event)
    self.init(key, try event.serializedBytes())
  }

  static func status(
    _ node: String, state: WireNodeStatus.State = .up, incarnation: UInt64 = 1, url: String = ""
  ) throws -> Told {
    try Told("node/\(node)") { event in
      event.nodeStatus.state = state
      event.nodeStatus.incarnation = incarnation
      event.nodeStatus.capacity = 4
      event.nodeStatus.url = url
    }
  }

  static func load(_ node: String, inFlight: UInt32) throws -> Told {
    try Told(node) { event in
      event.loadReported.incarnation = 1
      event.loadReported.inFlight = inFlight
    }
  }

  static func route(_ slot: Int, _ node: String, epoch: UInt64) throws -> Told {
    try Told("slot/\(slot)") { event in
      event.slotRoute.node = node
      event.slotRoute.epoch = epoch
    }
  }

  static func cluster(_ name: String, frozen: Bool) throws -> Told {
    try Told("cluster/\(name)") { event in
      event.clusterSettings.partitions = 8
      event.clusterSettings.frozen = frozen
    }
  }

  /// A field of a later version, and bytes that are no event.
  static let later: [UInt8] = [0xfa, 0x07, 1, 9]
  static let noEvents: [[UInt8]] = [[0x12], [0xff], [0x12, 5, 0x08], [0x10, 1]]
}

extension RecordSink {
  /// Lends the records as one batch of a log.
  mutating func hear(_ told: some Collection<Told>) {
    var bytes: [UInt8] = []
    var rows: [RecordRow] = []
    for record in told {
      let keyStart = bytes.count
      bytes += record.key
      let valueStart = bytes.count
      bytes += record.value ?? []
      rows.append(
        RecordRow(
          offset: Offset(record.offset), timestamp: record.time, keyStart: Int32(keyStart),
          keyLength: Int32(record.key.count), valueStart: Int32(valueStart),
          valueLength: record.value.map { Int32($0.count) } ?? -1))
    }
    let next = Offset((rows.last?.offset.rawValue ?? -1) + 1)
    apply(bytes.span.bytes, rows.span, next: next)
  }
}

/// Random records about few nodes and slots, so that they meet often. SplitMix64: the same on every machine.
struct TopologyStory {
  enum Topic: CaseIterable { case topology, observations, messages }

  private var state: UInt64
  private var offset: Int64 = 0
  private var time: Int64 = 1_000

  init(seed: UInt64) { state = seed }

  mutating func below(_ limit: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return Int((mixed ^ mixed >> 31) % UInt64(limit))
  }

  mutating func records(_ count: Int, of topics: [Topic]) throws -> [Told] {
    try (0..<count).map { _ in
      var told =
        switch topics[below(topics.count)] {
        case .topology: try topology()
        case .observations: try observation()
        case .messages: message()
        }
      told.offset = offset
      told.time = time
      offset += 1 + Int64(below(3)) / 2
      time += Int64(below(10))
      return told
    }
  }

  private mutating func node() -> String { ["n1", "n2", "knøde", "n", "a/b"][below(5)] }

  private mutating func topology() throws -> Told {
    let keys = ["node/\(node())", "slot/\(below(3) * 2_047)", "cluster/main"]
    let key = keys[below(keys.count)]
    switch below(20) {
    case 0...1: return Told(key, nil)
    case 2: return Told(key, Told.noEvents[below(Told.noEvents.count)], .poison)
    case 3: return Told(key, Told.later, .unknown)
    case 4: return try Told(key) { $0.beatObserved.incarnation = 1 }
    case 5: return try impossible()
    case 6...12:
      let url = ["", "http://a", "http://b/ü"][below(3)]
      return try .status(
        node(), state: .init(rawValue: below(5)) ?? .up, incarnation: UInt64(below(9)), url: url)
    case 13: return try .cluster("main", frozen: below(2) == 0)
    default:
      return try .route(
        below(3) * 2_047, below(4) == 0 ? "" : node(), epoch: UInt64(below(1_000)))
    }
  }

  /// Facts under keys that are none, and facts with text that is none.
  private mutating func impossible() throws -> Told {
    let poison = [
      try Told.route(4_096, "n1", epoch: 1), try Told.status(""),
      try Told.cluster("", frozen: true),
      try Told.status("n\u{7}"), Told("slot/07", [0x1a, 0]), Told("slot/", nil),
      Told("node/n1", [0x12, 3, 0x22, 1, 0xff]), Told("slot/0", [0x1a, 3, 0x0a, 1, 0xff]),
    ]
    var told = poison[below(poison.count)]
    told.use = .poison
    return told
  }

  private mutating func observation() throws -> Told {
    let node = node()
    switch below(8) {
    case 0: return Told(node, Told.later, .unknown)
    case 1: return Told(node, [0x4a], .poison)
    case 2: return try Told(node) { $0.beatObserved.incarnation = 1 }
    case 3: return Told(node, nil)
    default: return try .load(node, inFlight: UInt32(below(100)))
    }
  }

  private mutating func message() -> Told {
    let key = "\(["a", "b"][below(2)])\0k\(below(3))"
    switch below(8) {
    case 0: return Told(key, nil)
    case 1: return Told(key, [0x0a], .poison)
    case 2: return Told(key, Told.later, .unknown)
    case 3: return Told("\0time", TimePassed.encoded)
    default:
      let expiresAt = below(3) == 0 ? time + Int64(below(40)) : 0
      return Told(
        key,
        Message(id: "i", contentType: "", data: [UInt8(below(256))], expiresAt: expiresAt).encoded)
    }
  }

  mutating func batches(of told: [Told]) -> [ArraySlice<Told>] {
    var batches: [ArraySlice<Told>] = []
    var rest = told[...]
    while !rest.isEmpty {
      let count = 1 + below(min(rest.count, 9))
      batches.append(rest.prefix(count))
      rest = rest.dropFirst(count)
    }
    return batches
  }
}
