import EventLaws
import EventStorage
import PropertyTesting
import Testing

/// The laws of logs, on logs in memory: sound ones, and one bug each.
@Suite struct LogLawsTests {
  private struct InMemory: LogUnderTest {
    static let abilities: Set<LogAbility> = [.compaction]

    func open() -> MemoryLog {
      MemoryLog(identity: LogIdentity(5), layout: LogLayout(partitions: 1))
    }

    func compact(_ log: MemoryLog, _ partition: Partition, _ choices: inout Choices) throws {
      let end = try log.bounds(of: partition).end.rawValue
      let cleanPoint = end - Int64(choices.int(in: 0...Int(end)))
      let horizon = choices.int(in: 0...Int(cleanPoint))
      try log.compact(
        partition, before: Offset(cleanPoint), dropTombstonesBefore: Offset(Int64(horizon)))
    }
  }

  @Test func `the log in memory keeps the laws that apply to it`() async throws {
    let report = try await checkLaws(ofLog: "memory", PropertyOptions(cases: 2_000)) { InMemory() }
    #expect(report.skipped.keys.sorted() == [.durability, .corruption, .failedSync])
  }

  @Test func `a sound journal keeps the laws, and everything happens to it`() async throws {
    let report = try await checkLaws(ofLog: "journal", PropertyOptions(cases: 1_000)) {
      JournalUnderTest()
    }
    #expect(report.skipped.isEmpty)
    let seen: [(LogLaw, String, Double)] = [
      (.compaction, "compacted", 0.2), (.compaction, "tombstone dropped", 0.05),
      (.durability, "crash", 0.9), (.durability, "crash with appends under way", 0.05),
      (.durability, "burst", 0.3), (.corruption, "damage named", 0.5),
      (.failedSync, "stopped", 0.3),
      (.fencing, "zombie", 0.2), (.fencing, "restart", 0.2), (.idempotence, "retry", 0.4),
      (.idempotence, "restart", 0.2), (.timeTravel, "compacted", 0.2),
    ]
    for (law, label, least) in seen {
      let share = try #require(report.reports[law]).share(of: label)
      #expect(share >= least, "\(law): \(label) in \(share) of the cases")
    }
  }

  /// The law that finds the bug, and how many steps its simplest case has.
  @Test(arguments: [
    (JournalBug.dropsTombstonesEarly, LogLaw.compaction, 2),
    (.acknowledgesEarly, .durability, 2), (.servesDamage, .corruption, 2),
    (.goesOnAfterFailure, .failedSync, 3), (.forgetsEpochs, .fencing, 3),
    (.losesEmptyValues, .agreement, 1), (.forgetsKeys, .idempotence, 3),
    (.hidesCleanPoint, .timeTravel, 2),
  ])
  func `a planted bug is found by its law`(
    _ bug: JournalBug, _ law: LogLaw, _ steps: Int
  ) async throws {
    var options = PropertyOptions.fixed
    options.cases = 10_000
    let broken = await #expect(throws: LawsBroken.self) {
      try await checkLaws(ofLog: "\(bug)", laws: [law], options) { JournalUnderTest(bug) }
    }
    let found = try #require(broken?.failure(of: law)?.counterexample)
    // An answer is told behind its append.
    let told = found.notes.filter { !$0.hasPrefix(" ") }
    #expect(told.count == steps, "\(found.error)\n\(found.notes.joined(separator: "\n"))")
  }
}
