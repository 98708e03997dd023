import EventLaws
import EventStorage
import Projections
import PropertyTesting
import Testing

/// The kit is judged by bugs planted on purpose: each is found within 10,000 cases, by the law that it breaks, and made as simple as it
/// can be. The planted bugs of logs are in `LogLawsTests`.
@Suite struct PlantedBugsTests {
  /// Few letters, so that they meet.
  private static let letters = {
    var source = RecordSource { choices in
      NewRecord(
        key: Array(choices.element(of: ["a", "b", "c"]).utf8),
        value: [UInt8(choices.int(in: 0...9)), UInt8(choices.int(in: 97...122))])
    }
    source.poison = [[], [255, 1]]
    source.unknown = [[200]]
    source.versions = [VersionedFact(key: Array("a".utf8), values: [[98], [0, 98]])]
    source.mergesPartitions = true
    return source
  }()

  /// Checks one law, and says how many records the simplest case has that breaks it.
  private func recordsThatBreak(
    _ law: ProjectionLaw,
    _ check: ([ProjectionLaw], PropertyOptions) throws -> LawReport<ProjectionLaw>
  ) throws -> Int {
    var options = PropertyOptions.fixed
    options.cases = 10_000
    let broken = #expect(throws: LawsBroken.self) { _ = try check([law], options) }
    let found = try #require(broken?.failure(of: law)?.counterexample)
    // A history is told as its partition, and a line for each record.
    let histories = found.notes.filter { $0.hasPrefix("messages/") }
    return histories.reduce(0) { $0 + $1.split(separator: "\n").count - 1 }
  }

  private func recordsThatBreak<Bug: PlantedBug>(
    _ law: ProjectionLaw, _ bug: Bug.Type
  ) throws -> Int {
    try recordsThatBreak(law) { laws, options in
      try checkLaws(
        of: Letters<Bug>.self, history: PlantedBugsTests.letters, laws: laws, options)
    }
  }

  @Test func `without a bug every law holds`() throws {
    let report = try checkLaws(
      of: Letters<NoBug>.self, history: PlantedBugsTests.letters, PropertyOptions(cases: 1_000))
    #expect(report.skipped.isEmpty)
  }

  @Test func `law 1 finds a fold that depends on the order of a dictionary`() throws {
    // Two keys are enough, but by chance their order is the same now and then.
    #expect(2...3 ~= (try recordsThatBreak(.determinism, DictionaryOrder.self)))
  }

  @Test func `law 2 finds a fold that sees where a batch begins`() throws {
    #expect(try recordsThatBreak(.batching, BatchBorder.self) == 2)
  }

  @Test func `law 3 finds a snapshot that misses a field`() throws {
    let records = try recordsThatBreak(.snapshot) { laws, options in
      try checkLaws(
        of: Presence.self, laws: laws, options,
        history: { choices in
          NewRecord(
            key: Array(choices.element(of: ["a", "b", "c"]).utf8),
            value: [UInt8(choices.int(in: 0...100))])
        })
    }
    #expect(records == 2)
  }

  @Test func `law 4 finds a fold that counts redeliveries`() throws {
    let records = try recordsThatBreak(.redelivery) { laws, options in
      try checkLaws(
        ofFold: { CarelessFold<Letters<NoBug>>() }, history: PlantedBugsTests.letters, laws: laws,
        options)
    }
    #expect(records == 2)
  }

  @Test func `law 5 finds a position that goes back`() throws {
    let records = try recordsThatBreak(.atomicPosition) { laws, options in
      try checkLaws(
        ofFold: { BackwardFold<Letters<NoBug>>(Partition(.messages, 0)) },
        history: PlantedBugsTests.letters, laws: laws, options)
    }
    #expect(records == 2)
  }

  @Test func `laws 6 and 7 find a fold that rejects old epochs`() throws {
    #expect(try recordsThatBreak(.compaction, RejectedEpochs.self) == 2)
    #expect(try recordsThatBreak(.resume, RejectedEpochs.self) == 2)
  }

  @Test func `laws 6 and 8 find a fold that forgets tombstones`() throws {
    #expect(try recordsThatBreak(.compaction, ForgottenTombstones.self) == 2)
    // The last of the three holds the log's time.
    #expect(try recordsThatBreak(.deletion, ForgottenTombstones.self) == 3)
  }

  @Test func `law 9 finds a fold that depends on which partition is read first`() throws {
    #expect(try recordsThatBreak(.commutativity, NumberedKeys.self) == 2)
  }

  @Test func `law 10 finds a fold that stops at poison`() throws {
    #expect(try recordsThatBreak(.poison, StopsAtPoison.self) == 2)
  }

  @Test func `law 10 finds a fold that keeps no poison`() throws {
    #expect(try recordsThatBreak(.poison, LosesPoison.self) == 2)
  }

  @Test func `law 11 finds a fold that takes an unknown type for poison`() throws {
    #expect(try recordsThatBreak(.forwardTolerance, UnknownIsPoison.self) == 2)
  }

  @Test func `law 12 finds a fold that misreads an older version`() throws {
    #expect(try recordsThatBreak(.upcasting, OldLetters.self) == 1)
  }
}
