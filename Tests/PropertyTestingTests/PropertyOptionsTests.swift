import Testing

@testable import PropertyTesting

@Suite struct PropertyOptionsTests {
  private func options(_ variables: [String: String]) -> PropertyOptions {
    PropertyOptions { variables[$0] }
  }

  private func problem(_ variables: [String: String]) throws -> String {
    let failure = try #require(throws: PropertyFailure.self) {
      try forAll("p", options(variables)) { _ in Issue.record("no case is to run") }
    }
    return failure.description
  }

  @Test func `the environment gives cases, seed and tape`() {
    let found = options([
      "SIGNALBOX_PROPERTY_CASES": "17", "SIGNALBOX_PROPERTY_SEED": "99",
      "SIGNALBOX_PROPERTY_TAPE": "a = b=4.0.17",
    ])
    #expect(found.cases == 17 && found.seed == 99 && found.problems.isEmpty)
    #expect(found.tapesByName == ["a = b": Tape([4, 0, 17])])
  }

  @Test func `without an environment there are 1,000 cases of seed 0`() {
    let found = options([:])
    #expect(found.cases == 1_000 && found.seed == 0 && found.shrinksMax == 10_000)
    #expect(found.discardsPerCaseMax == 10 && found.tapesByName.isEmpty)
  }

  @Test func `any text is a seed, the same on every machine`() {
    #expect(PropertyOptions.seed(of: "18446744073709551615") == .max)
    #expect(PropertyOptions.seed(of: "") == 0xcbf2_9ce4_8422_2325)
    #expect(PropertyOptions.seed(of: "a") == 0xaf63_dc4c_8601_ec8c)
    #expect(PropertyOptions.seed(of: "foobar") == 0x8594_4171_f739_67e8)
    #expect(PropertyOptions.seed(of: "18446744073709551616") != 0)
  }

  @Test(arguments: ["", "x", "0", "-1", "1.5"])
  func `a number of cases that is none is said`(text: String) throws {
    let said = try problem(["SIGNALBOX_PROPERTY_CASES": text])
    #expect(
      said == "'p' was not run:\n  SIGNALBOX_PROPERTY_CASES is '\(text)': set it to a number from 1"
    )
  }

  @Test func `an empty seed is said`() throws {
    #expect(
      try problem(["SIGNALBOX_PROPERTY_SEED": ""]).contains("SIGNALBOX_PROPERTY_SEED is empty"))
  }

  @Test(arguments: ["", "4.0.17", "=4.0", "name=4..0", "name=4,0"])
  func `a tape without a name or that is none is said`(text: String) throws {
    let said = try problem(["SIGNALBOX_PROPERTY_TAPE": text])
    #expect(said.contains("SIGNALBOX_PROPERTY_TAPE is '\(text)': set it to a property's name"))
  }

  @Test func `options that cannot be used are said, all of them`() throws {
    var options = PropertyOptions.fixed
    options.cases = 0
    options.shrinksMax = -1
    options.discardsPerCaseMax = -2
    options.mustSee = ["b": 2, "a": -0.5]
    let failure = try #require(throws: PropertyFailure.self) { try forAll("p", options) { _ in } }
    #expect(
      failure.description == """
        'p' was not run:
          cases is 0: at least one case must be tried
          shrinksMax is -1: use 0 to shrink nothing
          discardsPerCaseMax is -2: use 0 to allow no discards
          mustSee["a"] is -0.5: a share is 0 to 1
          mustSee["b"] is 2.0: a share is 0 to 1
        """)
    let every = try #require(throws: PropertyFailure.self) {
      try forEvery("p", atMost: 0, .fixed) { _ in }
    }
    #expect(every.description == "'p' was not run:\n  at most 0 cases: use 1 or more")
  }

  @Test func `a tape in the environment runs that one case of that property alone`() throws {
    var (named, other) = (0, 0)
    let found = options(["SIGNALBOX_PROPERTY_TAPE": "named=5"])
    let report = try forAll("named", found) { choices in
      named += 1
      try hold(choices.int(in: 0...9), equals: 5)
    }
    try forAll("other", found) { _ in other += 1 }
    #expect(named == 1 && report.cases == 1 && other == 1_000)
  }

  @Test func `what is given goes before the environment`() {
    let given = PropertyOptions(
      cases: 3, seed: 4, shrinksMax: 5, mustSee: ["x": 1], tape: Tape([6]))
    #expect(given.cases == 3 && given.seed == 4 && given.shrinksMax == 5)
    #expect(given.mustSee == ["x": 1] && given.tape == Tape([6]))
    #expect(PropertyOptions().cases == PropertyOptions.standard.cases)
  }
}
