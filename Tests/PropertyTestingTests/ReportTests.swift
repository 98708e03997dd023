import PropertyTesting
import Testing

@Suite struct ReportTests {
  private func options(cases: Int = 1_000) -> PropertyOptions {
    var options = PropertyOptions.fixed
    options.cases = cases
    return options
  }

  @Test func `labels are counted once for each case, the frequent ones first`() throws {
    let report = try forEvery("numbers", atMost: 100, .fixed) { choices in
      let number = choices.int(in: 0...7)
      choices.label(number.isMultiple(of: 2) ? "even" : "odd")
      choices.label(number.isMultiple(of: 2) ? "even" : "odd")
      if number > 6 { choices.label("large") }
    }
    #expect(report.labels == ["even": 4, "odd": 4, "large": 1])
    #expect(report.share(of: "large") == 0.125 && report.share(of: "none") == 0)
    #expect(
      report.description == """
        numbers: 8 cases hold, which are all
          50.0% even
          50.0% odd
          12.5% large
        """)
  }

  @Test func `a label that is seen too seldom is a failure`() throws {
    var options = options(cases: 500)
    options.mustSee = ["put": 0.9, "tombstone": 0.1]
    func property(_ choices: inout Choices, isForgetful: Bool) {
      choices.label("put")
      if choices.oneIn(5), !isForgetful { choices.label("tombstone") }
    }
    let report = try forAll("p", options) { property(&$0, isForgetful: false) }
    #expect(report.share(of: "tombstone") > 0.15)
    let failure = #expect(throws: PropertyFailure.self) {
      try forAll("p", options) { property(&$0, isForgetful: true) }
    }
    #expect(
      failure?.description == """
        'p' holds, but saw 'tombstone' in 0.0% of its cases, and 10.0% are required (seed 0).
        Make the generator give it more often, or lower mustSee.
        """)
  }

  @Test func `cases that are left out do not count`() throws {
    let report = try forAll("p", options(cases: 100)) { choices in
      let number = choices.int(in: 0...9)
      try choices.require(number < 5)
      choices.label("small")
      try hold(number < 5)
    }
    #expect(report.cases == 100 && report.discards > 50 && report.share(of: "small") == 1)
    #expect(report.description.contains("100 cases hold, \(report.discards) left out"))
  }

  @Test func `too many cases left out are a failure`() throws {
    var options = options(cases: 20)
    options.discardsPerCaseMax = 2
    var runs = 0
    let failure = #expect(throws: PropertyFailure.self) {
      try forAll("p", options) { choices in
        runs += 1
        try choices.require(false)
      }
    }
    #expect(runs == 41)
    #expect(
      failure?.description == """
        'p' gave up: 41 cases were left out while 0 counted (seed 0).
        Build what the property needs instead of requiring it, or raise discardsPerCaseMax.
        """)
  }

  @Test func `a case that is left out is no simpler failure`() throws {
    let found = try smallest { choices in
      let number = choices.int(in: 0...1_000)
      choices.note("\(number)")
      try choices.require(number.isMultiple(of: 7))
      try hold(number < 100)
    }
    #expect(found.notes == ["105"])
  }
}
