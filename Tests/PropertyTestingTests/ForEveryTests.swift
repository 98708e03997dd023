import PropertyTesting
import Testing

@Suite struct ForEveryTests {
  @Test func `every case is tried once`() throws {
    var seen: [[Int]] = []
    let report = try forEvery("lists", atMost: 1_000, .fixed) { choices in
      seen.append(choices.array(atMost: 2, mean: 1) { $0.int(in: 0...2) })
    }
    #expect(report.isComplete && report.cases == 13)
    #expect(Set(seen).count == 13 && seen.count == 13)
    #expect(seen.prefix(3) == [[], [0], [0, 0]])
  }

  @Test func `no more cases are tried than allowed, and the report says that there are more`()
    throws
  {
    var runs = 0
    let report = try forEvery("numbers", atMost: 12, .fixed) { choices in
      runs += 1
      try choices.require(choices.int(in: 0...12) != 3)
    }
    #expect(runs == 12 && report.cases == 11 && report.discards == 1 && !report.isComplete)
    #expect(try forEvery("numbers", atMost: 13, .fixed) { _ = $0.int(in: 0...12) }.isComplete)
  }

  @Test func `the one case that fails is found and made simple`() async throws {
    func property(_ choices: inout Choices) throws {
      let list = choices.array(atMost: 3, mean: 1) { $0.int(in: 0...4) }
      choices.note("\(list)")
      try hold(list.reduce(0, +) != 11)
    }
    let failure = #expect(throws: PropertyFailure.self) {
      try forEvery("p", atMost: 10_000, .fixed) { try property(&$0) }
    }
    #expect(failure?.counterexample?.notes == ["[3, 4, 4]"])
    let waiting = await #expect(throws: PropertyFailure.self) {
      try await forEvery("p", atMost: 10_000, .fixed) { choices in
        await Task.yield()
        try property(&choices)
      }
    }
    #expect(waiting?.counterexample?.notes == ["[3, 4, 4]"])
  }

  @Test func `a required label holds for every case too`() throws {
    var options = PropertyOptions.fixed
    options.mustSee = ["nine": 0.1]
    let report = try forEvery("p", atMost: 10, options) {
      if $0.int(in: 0...9) == 9 { $0.label("nine") }
    }
    #expect(report.isComplete)
    #expect(throws: PropertyFailure.self) {
      try forEvery("p", atMost: 11, options) { if $0.int(in: 0...10) == 9 { $0.label("nine") } }
    }
  }
}
