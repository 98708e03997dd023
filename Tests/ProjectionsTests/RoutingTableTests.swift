import EventStorage
import Events
import Projections
import Testing

@Suite struct RoutingTableTests {
  private func table(_ told: Told...) -> RoutingTable {
    var table = RoutingTable()
    table.hear(told)
    return table
  }

  private func slot(_ number: Int) throws -> Slot { try #require(Slot(number)) }

  @Test func `the last route of a slot is its route`() throws {
    var last = try Told.route(4_095, "n2", epoch: 2)
    last.offset = 17
    let table = table(try .route(4_095, "n1", epoch: 3), try .route(0, "n2", epoch: 1), last)
    #expect(
      table.owner(of: try slot(4_095))
        == SlotOwner(node: "n2", epoch: 2, offset: Offset(17)))
    #expect(table.slots(of: try NodeID("n2")) == [try slot(0), try slot(4_095)])
    #expect(table.slots(of: try NodeID("n1")).isEmpty)
    #expect(table.owner(of: try slot(1)) == nil)
  }

  @Test func `a slot that nobody owns keeps its epoch`() throws {
    let table = table(try .route(5, "n1", epoch: 3), try .route(5, "", epoch: 4))
    #expect(table.owner(of: try slot(5)) == nil)
    #expect(table.epoch(of: try slot(5)) == 4)
    var bytes: [UInt8] = []
    table.encode(into: &bytes)
    let read = try RoutingTable(decoding: bytes.span.bytes)
    #expect(read.epoch(of: try slot(5)) == 4)
  }

  /// Laws 6, 10 and 11.
  @Test(arguments: [nil, Told.later, [0x1a], [0x1a, 3, 0x0a, 1, 0xff], [0x12, 0]])
  func `whatever follows a route under its key takes it away, and it comes back`(
    value: [UInt8]?
  ) throws {
    var table = table(
      try .route(1, "n1", epoch: 1), try .route(2, "n1", epoch: 1), Told("slot/1", value))
    #expect(table.owner(of: try slot(1)) == nil)
    #expect(table.owner(of: try slot(2))?.node == "n1")
    table.hear([try .route(1, "n2", epoch: 2)])
    #expect(table.owner(of: try slot(1))?.node == "n2")
  }

  @Test func `the last settings of a cluster are its settings`() throws {
    var table = table(try .cluster("main", frozen: true), try .cluster("other", frozen: false))
    #expect(table.cluster("main") == ClusterState(partitions: 8, isFrozen: true))
    table.hear([try .cluster("main", frozen: false), Told("cluster/other", nil)])
    #expect(table.cluster("main")?.isFrozen == false)
    #expect(table.cluster("other") == nil)
  }

  @Test(arguments: ["slot/4096", "slot/00", "slot/01", "slot/-1", "slot/", "slot/1a", "slot/99999"])
  func `a slot that is none is poison`(key: String) {
    let table = table(Told(key, [0x1a, 0]))
    #expect(table.counts.poison == 1)
    #expect(table.poisoned.records.map(\.key) == [Array(key.utf8)])
    #expect(table.digest == RoutingTable().digest)
  }

  @Test func `a cluster's name has a limit`() throws {
    let name = String(repeating: "c", count: RoutingTable.clusterNameBytesMax)
    let table = table(try .cluster(name, frozen: true), try .cluster(name + "c", frozen: true))
    #expect(table.cluster(name) != nil)
    #expect(table.cluster(name + "c") == nil)
    #expect(table.counts.poison == 1)
  }

  @Test func `names of owners that nobody is any more are forgotten`() throws {
    var table = RoutingTable()
    for number in 0..<30_000 {
      table.hear([try .route(number % 2, "node \(number)", epoch: UInt64(number))])
    }
    #expect(table.namesKept < 3 * Slot.count)
    #expect(table.owner(of: try slot(1))?.node == "node 29999")
  }
}
