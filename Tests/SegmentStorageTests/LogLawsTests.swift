import EventLaws
import EventStorage
import Glibc
import PropertyTesting
import SegmentStorage
import Testing

/// The log on a disk that forgets, tears, reorders and fails.
struct SegmentedUnderTest: LogUnderTest {
  static let abilities: Set<LogAbility> = [.restart, .crash, .failure, .compaction, .damage]
  /// Whether a sync of the disk does nothing and says nothing: the log then acknowledges what is not durable.
  var isLying = false
  private var disk = HostileDisk()

  init(isLying: Bool = false) { self.isLying = isLying }

  mutating func open() throws -> SegmentedLog {
    // It lies to a log that is open only: without `log.json` there is no log.
    disk.isLying = false
    let log = try SegmentedLog(
      opening: "log",
      options: options {
        $0.segmentBytes = 900
        $0.tombstoneRetention = .milliseconds(30)
        $0.now = { 1_060 }
      }, on: disk)
    disk.isLying = isLying
    return log
  }

  mutating func crash(_ log: SegmentedLog, _ choices: inout Choices) {
    let left = disk.crashed(&choices)
    disk.kill()
    disk = left
  }

  func failSoon(_ log: SegmentedLog, _ choices: inout Choices) {
    let fault: HostileDisk.Fault =
      switch choices.int(in: 0...3) {
      case 0: .fail(EIO)
      case 1: .fail(ENOSPC)
      case 2: .short
      default: .kill
      }
    disk.plan(fault, at: disk.operations + choices.int(in: 1...6))
  }

  func compact(
    _ log: SegmentedLog, _ partition: Partition, _ choices: inout Choices
  ) async throws {
    try await log.roll(partition)
    try log.maintainOnce(always: true)
  }

  /// A log that was closed takes no byte of its segments for one that never became durable.
  func damage(_ partition: Partition, _ choices: inout Choices) throws {
    let names = disk.names.filter {
      $0.contains("/\(partition.topic.name)-") && $0.hasSuffix(".log")
    }
    let full = names.filter { disk[$0]?.isEmpty == false }
    let name = choices.element(of: full)
    let count = disk[name]?.count ?? 0
    disk[name]?[choices.int(in: 0...count - 1)] ^= 1 << UInt8(choices.int(in: 0...7))
  }
}

@Suite struct LogLawsTests {
  /// What does not happen is not checked.
  private static let seen: [(LogLaw, String, Double)] = [
    (.compaction, "compacted", 0.2), (.compaction, "tombstone dropped", 0.1),
    (.durability, "crash with appends under way", 0.2), (.durability, "burst", 0.4),
    (.corruption, "damage named", 0.6), (.failedSync, "stopped", 0.2),
    (.failedSync, "failure while opening", 0.01), (.fencing, "zombie", 0.2),
    (.fencing, "restart", 0.4), (.idempotence, "retry", 0.4), (.idempotence, "restart", 0.4),
    (.timeTravel, "compacted", 0.2), (.timeTravel, "tombstone dropped", 0.1),
  ]

  @Test(arguments: LogLaw.allCases)
  func `the log on disk keeps the laws`(_ law: LogLaw) async throws {
    let report = try await checkLaws(
      ofLog: "segments", laws: [law], PropertyOptions(cases: 2_000)
    ) { SegmentedUnderTest() }
    #expect(report.skipped.isEmpty)
    for (number, label, least) in LogLawsTests.seen where number == law {
      let share = try #require(report.reports[law]).share(of: label)
      #expect(share >= least, "\(law): \(label) in \(share) of the cases")
    }
  }

  @Test func `law 13 finds a disk that says it has synced and has not`() async throws {
    var options = PropertyOptions.fixed
    options.cases = 10_000
    let broken = await #expect(throws: LawsBroken.self) {
      try await checkLaws(ofLog: "a lying disk", laws: [.durability], options) {
        SegmentedUnderTest(isLying: true)
      }
    }
    let found = try #require(broken?.failure(of: LogLaw.durability)?.counterexample)
    #expect(found.notes.filter { !$0.hasPrefix(" ") }.count == 2, "\(found.error) \(found.notes)")
  }
}
