import Decisions
import EventStorage
import Events
import Projections
import PropertyTesting
import Testing

@Suite struct MembershipTests {
  /// What a log of these values says, from an offset on.
  private func fold<State: Projection>(
    _ type: State.Type, _ records: [(key: [UInt8], value: [UInt8]?)], from start: Int64 = 0
  ) -> State {
    var state = State()
    var offset = start
    for (key, value) in records {
      let bytes = key + (value ?? [])
      let row = RecordRow(
        offset: Offset(offset), timestamp: offset, keyStart: 0, keyLength: Int32(key.count),
        valueStart: Int32(key.count), valueLength: Int32(value?.count ?? -1))
      state.apply(bytes.span.bytes, [row].span, next: Offset(offset + 1))
      offset += 1
    }
    return state
  }

  private func node(_ name: String) throws -> NodeID { try NodeID(name) }

  private func requests(_ records: [(String, [UInt8])]) throws -> MembershipRequests {
    fold(
      MembershipRequests.self, try records.map { (EventKey.observation(try node($0)).bytes, $1) })
  }

  private func join(_ capacity: UInt32 = 3) -> [UInt8] {
    EventType.joinRequest(capacity: capacity, url: "http://a")
  }

  private func leave(_ incarnation: UInt64 = 0) -> [UInt8] {
    EventType.leaveRequest(incarnation: incarnation)
  }

  private func directory(_ facts: [Fact]) -> Directory {
    fold(Directory.self, facts.map { ($0.key.bytes, $0.value) })
  }

  @Test func `a join becomes a fact once, with the life that its record begins`() throws {
    let requests = try requests([("b", join()), ("a", join(0))])
    let facts = Membership.facts(of: [requests], in: Directory())
    #expect(facts.map(\.name) == ["up/2/a", "up/1/b"])
    let directory = directory(facts)
    #expect(
      directory.nodes == [
        NodeEntry(id: "a", state: 1, incarnation: 2, capacity: 1, url: "http://a"),
        NodeEntry(id: "b", state: 1, incarnation: 1, capacity: 3, url: "http://a"),
      ])
    #expect(Membership.facts(of: [requests], in: directory) == [])
  }

  @Test func `a leave ends the life that is in, and a later join begins another`() throws {
    var records = [("a", join())]
    var facts = Membership.facts(of: [try requests(records)], in: Directory())
    records.append(("a", leave()))
    facts += Membership.facts(of: [try requests(records)], in: directory(facts))
    #expect(directory(facts).nodes.map(\.state) == [4])
    #expect(Membership.facts(of: [try requests(records)], in: directory(facts)) == [])
    records.append(("a", join(7)))
    facts += Membership.facts(of: [try requests(records)], in: directory(facts))
    #expect(facts.map(\.name) == ["up/1/a", "left/1/a", "up/3/a"])
    #expect(directory(facts).nodes.map(\.capacity) == [7])
  }

  @Test func `a leave that comes late, or of nobody, changes nothing`() throws {
    let late = try requests([("a", join()), ("a", join()), ("a", leave(1))])
    #expect(Membership.facts(of: [late], in: Directory()).map(\.name) == ["up/2/a"])
    #expect(Membership.facts(of: [try requests([("x", leave())])], in: Directory()) == [])
  }

  @Test func `what a request says is bounded`() throws {
    let greedy = try requests([("a", join(.max))])
    let facts = Membership.facts(of: [greedy], in: Directory())
    #expect(directory(facts).nodes.map(\.capacity) == [Membership.capacities.upperBound])
  }

  /// However often it is decided, and whoever decides with an older directory: the last request wins, and repeats have the same name.
  @Test
  func `deciding again with any earlier directory repeats facts, and never brings a life back`()
    throws
  {
    try forAll("membership settles") { choices in
      let names = ["a", "b"]
      let records = choices.array(atMost: 20) { choices in
        (
          choices.element(of: names),
          choices.bool() ? join() : leave(UInt64(choices.int(in: 0...4)))
        )
      }
      choices.note("\(records)")
      var log: [Fact] = []
      var taken: Set<String> = []
      for count in 0...records.count {
        let seen = try requests(Array(records.prefix(count)))
        // A controller that took over decides with the newest directory, one that was paused with an older one: its facts are fenced.
        for fact in Membership.facts(of: [seen], in: directory(log)) {
          try hold(taken.insert(fact.name).inserted, "\(fact.name) again")
          log.append(fact)
        }
      }
      let last = try requests(records)
      try hold(Membership.facts(of: [last], in: directory(log)).isEmpty, "it settles")
      for entry in directory(log).nodes {
        switch last[try node(entry.id)] {
        case .join(let incarnation, _, _)?:
          try hold(entry.state == 1 && entry.incarnation == incarnation, "\(entry.id) is in")
        case .leave?: try hold(entry.state == 4, "\(entry.id) has left")
        case nil: try hold(false, "\(entry.id) never asked")
        }
      }
    }
  }
}
