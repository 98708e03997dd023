import EventStorage
import Events
import SwiftProtobuf
import Testing

@testable import Projections

/// Nodes and routes: the projections of the topology topic, held to the same laws.
@Suite struct TopologyTests {
  private struct Feed {
    var records: [(offset: Int64, key: [UInt8], value: [UInt8]?)] = []

    mutating func add(_ key: EventKey, _ event: WireEvent?) throws {
      let value: [UInt8]? = try event.map { try $0.serializedBytes() }
      records.append((Int64(records.count) * 2, key.bytes, value))
    }

    mutating func add(_ key: EventKey, raw: [UInt8]) {
      records.append((Int64(records.count) * 2, key.bytes, raw))
    }

    func fold<State: Projection>(_ size: Int, into state: State = State()) -> State {
      var state = state
      for start in stride(from: 0, to: records.count, by: size) {
        var bytes: [UInt8] = []
        var rows: [RecordRow] = []
        for record in records[start..<min(start + size, records.count)] {
          rows.append(
            RecordRow(
              offset: Offset(record.offset), timestamp: 0, keyStart: Int32(bytes.count),
              keyLength: Int32(record.key.count),
              valueStart: Int32(bytes.count + record.key.count),
              valueLength: record.value.map { Int32($0.count) } ?? -1))
          bytes += record.key + (record.value ?? [])
        }
        let next = Offset((rows.last?.offset.rawValue ?? 0) + 1)
        state.apply(bytes.span.bytes, rows.span, next: next)
      }
      return state
    }
  }

  private func status(_ state: WireNodeStatus.State, _ incarnation: UInt64, _ url: String = "")
    -> WireEvent
  {
    .with {
      $0.nodeStatus.state = state
      $0.nodeStatus.incarnation = incarnation
      $0.nodeStatus.url = url
    }
  }

  private func route(_ node: String, _ epoch: UInt64) -> WireEvent {
    .with {
      $0.slotRoute.node = node
      $0.slotRoute.epoch = epoch
    }
  }

  /// Everything that can happen to a few nodes, slots and clusters, poison and unknown types among it.
  private func story(_ seed: UInt64) throws -> Feed {
    var state = seed
    func below(_ limit: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % limit
    }
    var feed = Feed()
    for _ in 0..<60 {
      let node = EventKey.node(try NodeID("n\(below(4))"))
      let slot = EventKey.slot(try #require(Slot(Int(below(5)) * 1000)))
      switch below(9) {
      case 0, 1: try feed.add(node, status(.up, below(9), "http://\(below(3))"))
      case 2: try feed.add(node, nil)
      case 3, 4: try feed.add(slot, route("n\(below(4))", below(9)))
      case 5: try feed.add(slot, nil)
      case 6:
        try feed.add(.cluster("c\(below(2))"), .with { $0.clusterSettings.partitions = 4 })
      case 7: feed.add(below(2) == 0 ? node : slot, raw: [0x12, 0xff])
      default: feed.add(below(2) == 0 ? node : slot, raw: [0xfa, 0x01, 0x00])
      }
    }
    return feed
  }

  @Test(arguments: 0..<5 as Range<UInt64>)
  func `a damaged state is an error or a state, never a trap`(seed: UInt64) throws {
    let feed = try story(seed)
    try damage(Directory.self, feed)
    try damage(RoutingTable.self, feed)
  }

  private func damage<State: Projection>(_ type: State.Type, _ feed: Feed) throws {
    var bytes: [UInt8] = []
    (feed.fold(1000) as State).encode(into: &bytes)
    for count in bytes.indices {
      #expect(throws: SnapshotFailure.self) {
        try State(decoding: Array(bytes[..<count]).span.bytes)
      }
    }
    for bit in 0..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      _ = try? State(decoding: flipped.span.bytes)
    }
  }

  @Test func `the last status of a node is its status, whatever its incarnation`() throws {
    var feed = Feed()
    let key = EventKey.node(try NodeID("n1"))
    try feed.add(key, status(.up, 9, "http://a"))
    try feed.add(key, status(.failed, 2))
    let directory: Directory = feed.fold(10)
    #expect(
      directory.nodes == [NodeEntry(id: "n1", state: 3, incarnation: 2, capacity: 0, url: "")])
  }

  @Test func `load reports stand beside the status of their node`() throws {
    var feed = Feed()
    let node = try NodeID("n1")
    try feed.add(.node(node), status(.up, 1))
    try feed.add(
      .observation(node),
      .with {
        $0.loadReported.incarnation = 1
        $0.loadReported.inFlight = 5
        $0.loadReported.latencyUs = 700
      })
    let directory: Directory = feed.fold(10)
    #expect(directory.nodes.map(\.id) == ["n1"])
    #expect(
      directory.load(of: node)
        == NodeLoad(incarnation: 1, inFlight: 5, latencyMicroseconds: 700, capacity: 0))
  }

  @Test
  func `a route of an older epoch replaces a newer one: it was accepted before it was written`()
    throws
  {
    var feed = Feed()
    let slot = try #require(Slot(4095))
    try feed.add(.slot(slot), route("n1", 5))
    try feed.add(.slot(slot), route("n2", 4))
    let table: RoutingTable = feed.fold(10)
    #expect(table.owner(of: slot) == SlotOwner(node: "n2", epoch: 4, offset: Offset(2)))
    try feed.add(.slot(slot), route("", 6))
    #expect((feed.fold(10) as RoutingTable).owner(of: slot) == nil)
  }

  /// Laws 10 and 11.
  @Test func `poison and unknown types are counted and take only their own key`() throws {
    var feed = Feed()
    let slots = try [#require(Slot(1)), #require(Slot(2)), #require(Slot(3))]
    for slot in slots { try feed.add(.slot(slot), route("n1", 1)) }
    feed.add(.slot(slots[0]), raw: [0x12, 0xff])
    feed.add(.slot(slots[1]), raw: [0xfa, 0x01, 0x00])
    let table: RoutingTable = feed.fold(10)
    #expect(table.owner(of: slots[0]) == nil)
    #expect(table.owner(of: slots[1]) == nil)
    #expect(table.owner(of: slots[2])?.node == "n1")
    #expect(table.counts.poison == 1)
    #expect(table.counts.unknown == 1)
  }

  @Test func `one fold of a mixed stream says what the three say apart`() throws {
    for seed in 0..<20 as Range<UInt64> {
      var feed = try story(seed)
      let key = try EventKey.message(ChannelName("orders"), MessageKey("k"))
      try feed.add(key, .with { $0.messagePublished.id = "1" })
      var system = SystemFold()
      for record in feed.records {
        let row = RecordRow(
          offset: Offset(record.offset), timestamp: 0, keyStart: 0,
          keyLength: Int32(record.key.count), valueStart: Int32(record.key.count),
          valueLength: record.value.map { Int32($0.count) } ?? -1)
        let bytes = record.key + (record.value ?? [])
        system.apply(bytes.span.bytes, [row].span, next: Offset(record.offset + 1))
      }
      #expect(system.directory.digest == (feed.fold(10) as Directory).digest)
      #expect(system.routingTable.digest == (feed.fold(10) as RoutingTable).digest)
      #expect(system.channels.digest == (feed.fold(10) as Channels).digest)
    }
  }
}
