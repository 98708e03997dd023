import PropertyTesting
import Testing

@Suite struct ForAllTests {
  private struct Odd: Error {}

  private func options(cases: Int = 1_000) -> PropertyOptions {
    var options = PropertyOptions.fixed
    options.cases = cases
    return options
  }

  @Test func `as many cases hold as were asked for, the simplest first`() throws {
    var numbers: [Int] = []
    let report = try forAll("p", options(cases: 50)) { numbers.append($0.int(in: 0...999)) }
    #expect(report.cases == 50 && report.discards == 0 && !report.isComplete)
    #expect(numbers.count == 50 && numbers[0] == 0 && Set(numbers).count > 40)
  }

  @Test func `the same seed gives the same cases, another seed gives others`() throws {
    func cases(_ seed: UInt64) throws -> [UInt64] {
      var found: [UInt64] = []
      var options = options(cases: 6)
      options.seed = seed
      try forAll("p", options) { found.append($0.next(below: 1_000_000)) }
      return found
    }
    #expect(try cases(0) == [0, 313_600, 499_100, 757_432, 434_204, 922_284])
    #expect(try cases(1) == [0, 990_056, 79_454, 985_760, 994_664, 599_047])
  }

  @Test func `a failure says all that is needed to see it again`() throws {
    let failure = try #require(throws: PropertyFailure.self) {
      try forAll("it's small", options(), fileID: "Module/File.swift", function: "`a [b] c`()") {
        choices in
        let number = choices.int(in: 0...999)
        choices.note("number: \(number)\nand more")
        if number > 99 {
          throw NotHeld(message: "\(number) is large", fileID: "F", line: 1)
        }
      }
    }
    let found = try #require(failure.counterexample)
    #expect(
      failure.description == """
        'it's small' does not hold: 100 is large (F:1)
          number: 100
          and more
          at first: \(found.firstError)
          seed 0, case 2, made simpler \(found.shrinks) times in \(found.replays) replays
          tape 100
          again: SIGNALBOX_PROPERTY_TAPE='it'\\''s small=100' swift test --filter 'Module.*a .b. c'
        """)
    #expect(found.number == 2 && found.shrinks > 0 && found.replays > found.shrinks)
  }

  @Test func `the tape of a failure fails again, once`() throws {
    func property(_ choices: inout Choices) throws {
      try hold(choices.array(atMost: 9) { $0.int(in: 0...99) }.reduce(0, +) < 70)
    }
    let found = try smallest { try property(&$0) }
    var again = options()
    again.tape = found.tape
    var runs = 0
    let failure = try #require(throws: PropertyFailure.self) {
      try forAll("p", again) {
        runs += 1
        try property(&$0)
      }
    }
    #expect(runs == 1 && failure.counterexample?.tape == found.tape)
    #expect(failure.counterexample?.replays == 0)
  }

  @Test func `shrinking ends at shrinksMax and says so`() throws {
    for limit in [0, 1, 7] {
      var (options, runs) = (options(), 0)
      options.shrinksMax = limit
      let failure = try #require(throws: PropertyFailure.self) {
        try forAll("p", options) { choices in
          runs += 1
          let list = choices.array(atLeast: 3, atMost: 50) { $0.int(in: 0...1_000) }
          choices.note("kept")
          try hold(!list.contains { $0 > 900 })
        }
      }
      let found = try #require(failure.counterexample)
      #expect(found.isCutShort && found.replays == limit + 1 && found.notes == ["kept"])
      #expect(runs == found.number + limit + 1)
      #expect(failure.description.contains("replays, ended by shrinksMax"))
    }
  }

  @Test func `a property that depends on more than its choices is told so`() throws {
    var runs = 0
    let failure = try #require(throws: PropertyFailure.self) {
      try forAll("p", options()) { _ in
        runs += 1
        if runs == 5 { throw Odd() }
      }
    }
    #expect(runs == 6 && failure.counterexample?.isRepeatable == false)
    #expect(failure.description.contains("repeated, the case did NOT fail"))
  }

  @Test func `notes are built only when a case has failed`() throws {
    var built = 0
    func text() -> String {
      built += 1
      return "note"
    }
    try forAll("p", options()) { $0.note(text()) }
    #expect(built == 0)
    #expect(throws: PropertyFailure.self) {
      try forAll("p", options()) {
        $0.note(text())
        throw Odd()
      }
    }
    #expect(built == 1)
  }

  @Test func `a failure is one issue of its test`() throws {
    try withKnownIssue {
      try forAll("p", options()) { try hold($0.int(in: 0...1_000) < 20) }
    } matching: { issue in
      (issue.error as? PropertyFailure)?.counterexample?.tape == Tape([20])
    }
  }

  @Test func `hold shows what is not equal, and where`() {
    let plain = #expect(throws: NotHeld.self) { try hold(1, equals: 2, fileID: "F", line: 3) }
    #expect(plain?.description == "1 is not 2 (F:3)")
    let told = #expect(throws: NotHeld.self) {
      try hold("a", equals: "b", "the name", fileID: "F", line: 3)
    }
    #expect(told?.description == "the name: a is not b (F:3)")
    let false_ = #expect(throws: NotHeld.self) { try hold(false, fileID: "F", line: 3) }
    #expect(false_?.description == "the condition is false (F:3)")
  }

  @Test func `a search can be driven by hand`() throws {
    var search = Search("p", options())
    while var choices = search.next() {
      let number = choices.int(in: 0...500)
      search.observe(choices, error: number > 123 ? Odd() : nil)
    }
    let failure = #expect(throws: PropertyFailure.self) { try search.result() }
    #expect(failure?.counterexample?.tape == Tape([124]))
  }

  @Test func `a property that waits shrinks the same`() async throws {
    let options = options()
    let failure = await #expect(throws: PropertyFailure.self) {
      try await forAll("p", options) { choices in
        await Task.yield()
        try hold(choices.int(in: 0...1_000) <= 400)
      }
    }
    let plain = #expect(throws: PropertyFailure.self) {
      try forAll("p", options) { try hold($0.int(in: 0...1_000) <= 400) }
    }
    #expect(failure?.counterexample?.tape == Tape([401]))
    #expect(failure?.counterexample?.replays == plain?.counterexample?.replays)
  }

  @Test func `a cancelled search ends`() async throws {
    let options = options()
    let task = Task {
      try await forAll("p", options) { _ in
        await Task.yield()
        withUnsafeCurrentTask { $0?.cancel() }
      }
    }
    let failure = await #expect(throws: PropertyFailure.self) { try await task.value }
    #expect(failure?.description == "'p' was cancelled after 1 cases")
  }

  @Test func `what is thrown because of a cancellation is no counterexample`() async throws {
    let options = options()
    let task = Task {
      try await forAll("p", options) { _ in
        await Task.yield()
        withUnsafeCurrentTask { $0?.cancel() }
        try Task.checkCancellation()
      }
    }
    let failure = await #expect(throws: PropertyFailure.self) { try await task.value }
    #expect(failure?.description == "'p' was cancelled after 0 cases")
  }

  @Test func `a tape whose case is left out is a failure`() throws {
    var options = options()
    options.tape = Tape([3])
    let failure = #expect(throws: PropertyFailure.self) {
      try forAll("p", options) { choices in
        try choices.require(choices.int(in: 0...9) != 3)
      }
    }
    #expect(failure?.description.contains("1 cases were left out while 0 counted") == true)
  }
}
