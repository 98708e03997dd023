import EventStorage
import Events
import Projections
import Testing

@Suite struct DirectoryTests {
  private func directory(_ told: Told...) -> Directory {
    var directory = Directory()
    directory.hear(told)
    return directory
  }

  @Test func `the last status of a node is its status`() throws {
    let directory = directory(
      try .status("n2", url: "http://old"), try .status("n1", state: .draining, incarnation: 7),
      try .status("n2", state: .failed, incarnation: 3, url: "http://new"))
    #expect(
      directory.nodes == [
        NodeEntry(id: "n1", state: 2, incarnation: 7, capacity: 4, url: ""),
        NodeEntry(id: "n2", state: 3, incarnation: 3, capacity: 4, url: "http://new"),
      ])
    #expect(directory.node(try NodeID("n1"))?.incarnation == 7)
    #expect(directory.node(try NodeID("n3")) == nil)
  }

  @Test func `the last load report of a node is its load, whether or not it has a status`() throws {
    let directory = directory(
      try .load("n1", inFlight: 3), try .status("n2"), try .load("n1", inFlight: 5))
    #expect(directory.load(of: try NodeID("n1"))?.inFlight == 5)
    #expect(directory.load(of: try NodeID("n2")) == nil)
    #expect(directory.nodes.map(\.id) == ["n2"])
  }

  /// Laws 6, 10 and 11: an older status may be compacted away, so only "not known" does not depend on it.
  @Test(arguments: [nil, Told.later, [0x12], [0x12, 3, 0x22, 1, 0xff], [0x1a, 0]])
  func `whatever follows a status under its key takes it away, and it comes back`(
    value: [UInt8]?
  ) throws {
    var directory = directory(try .status("n1"), try .status("n2"), Told("node/n1", value))
    #expect(directory.nodes.map(\.id) == ["n2"])
    directory.hear([try .status("n1", incarnation: 2)])
    #expect(directory.node(try NodeID("n1"))?.incarnation == 2)
  }

  /// Laws 10 and 11, where nothing is compacted.
  @Test(arguments: [Told.later, [0x4a], [0x4a, 1, 0x08], [0x32, 0]])
  func `whatever follows a load report changes nothing`(value: [UInt8]) throws {
    let directory = directory(try .load("n1", inFlight: 3), Told("n1", value))
    #expect(directory.load(of: try NodeID("n1"))?.inFlight == 3)
  }

  @Test func `what cannot be used is counted once and can be found`() throws {
    var status = try Told.status("")
    status.offset = 4
    var cut = Told("n1", [0x4a])
    cut.offset = 9
    let directory = directory(status, Told("n1", Told.later), cut)
    #expect(directory.counts.records == 3)
    #expect(directory.counts.poison == 2 && directory.counts.unknown == 1)
    #expect(
      directory.poisoned.records == [
        PoisonRecord(offset: Offset(4), key: Array("node/".utf8)),
        PoisonRecord(offset: Offset(9), key: Array("n1".utf8)),
      ])
  }

  @Test func `URLs that nobody has any more are forgotten`() throws {
    var directory = Directory()
    for number in 0..<5_000 {
      directory.hear([try .status("n\(number % 3)", url: "http://host:\(number)")])
    }
    #expect(directory.urlsKept < 100)
    #expect(
      directory.nodes.map(\.url) == ["http://host:4998", "http://host:4999", "http://host:4997"])
  }

  @Test func `nodes that come and go leave nothing behind`() throws {
    var directory = Directory()
    for number in 0..<2_000 {
      directory.hear([try .status("n\(number)"), Told("node/n\(number)", nil)])
    }
    #expect(directory.nodes.isEmpty)
    #expect(directory.digest == Directory().digest)
  }
}
