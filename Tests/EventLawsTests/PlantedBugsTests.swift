import EventLaws
import EventStorage
import Projections
import PropertyTesting
import Testing

/// The kit is judged by bugs planted on purpose: each is found, by the law that it breaks, and made as simple as it can be.
@Suite struct PlantedBugsTests {
  private let options = {
    var options = PropertyOptions.fixed
    options.cases = 10_000
    return options
  }()

  private let letters = RecordSource { choices in
    NewRecord(
      key: Array(choices.element(of: ["a", "b", "c"]).utf8),
      value: [UInt8(choices.int(in: 0...9)), UInt8(choices.int(in: 97...122))])
  }

  /// The simplest case of a law that a projection breaks.
  private func found(
    _ law: ProjectionLaw, _ check: () throws(LawsBroken) -> LawReport<ProjectionLaw>
  ) throws -> Counterexample {
    let broken = #expect(throws: LawsBroken.self) { try check() }
    let failure = try #require(broken?.failure(of: law))
    return try #require(failure.counterexample)
  }

  /// How many records the history of a case has, which is the first thing that a case says of itself.
  private func records(_ found: Counterexample) -> Int {
    found.notes.first.map { $0.split(separator: "\n").count - 1 } ?? 0
  }

  @Test func `without a bug every law holds`() throws {
    try checkLaws(of: Letters<NoBug>.self, history: letters, PropertyOptions(cases: 500))
  }

  @Test func `law 1 finds a fold that depends on the order of a dictionary`() throws {
    let found = try found(.determinism) { () throws(LawsBroken) in
      try checkLaws(
        of: Letters<DictionaryOrder>.self, history: letters, laws: [.determinism], options)
    }
    // Two keys are enough; by chance alone their order is the same now and then.
    #expect(2...3 ~= records(found), "\(found.notes)")
  }

  @Test func `law 3 finds a snapshot that misses a field`() throws {
    let found = try found(.snapshot) { () throws(LawsBroken) in
      try checkLaws(
        of: Presence.self, laws: [.snapshot], options,
        history: { choices in
          NewRecord(
            key: Array(choices.element(of: ["a", "b", "c"]).utf8),
            value: [UInt8(choices.int(in: 0...100))])
        })
    }
    #expect(records(found) == 2, "\(found.notes)")
  }

  @Test func `law 4 finds a fold that counts redeliveries`() throws {
    let found = try found(.redelivery) { () throws(LawsBroken) in
      try checkLaws(
        ofFold: { CarelessFold<Letters<NoBug>>() }, history: letters, laws: [.redelivery], options)
    }
    #expect(records(found) == 2, "\(found.notes)")
  }

  @Test func `law 6 finds a fold that rejects old epochs`() throws {
    let found = try found(.compaction) { () throws(LawsBroken) in
      try checkLaws(
        of: Letters<RejectedEpochs>.self, history: letters, laws: [.compaction], options)
    }
    #expect(records(found) == 2, "\(found.notes)")
  }

  @Test func `laws 6 and 8 find a fold that forgets tombstones`() throws {
    for (law, length) in [(ProjectionLaw.compaction, 2), (.deletion, 3)] {
      let found = try found(law) { () throws(LawsBroken) in
        try checkLaws(of: Letters<ForgottenTombstones>.self, history: letters, laws: [law], options)
      }
      #expect(records(found) == length, "\(found.notes)")
    }
  }
}
