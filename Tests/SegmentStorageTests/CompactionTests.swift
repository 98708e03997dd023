import EventStorage
import Glibc
import PropertyTesting
import SegmentStorage
import Synchronization
import Testing

/// Compaction against what it may and must do (laws 6, 7 and 8), on random histories.
@Suite struct CompactionTests {
  private static let retention: Int64 = 1000

  private func open(_ disk: HostileDisk, now: Int64, keysMax: Int = 1000) throws -> SegmentedLog {
    try SegmentedLog(
      opening: "log",
      options: options {
        $0.segmentBytes = 1500
        $0.compactionKeysMax = keysMax
        $0.tombstoneRetention = .milliseconds(CompactionTests.retention)
        $0.now = { now }
      }, on: disk)
  }

  private func fold(_ records: [Seen]) -> [[UInt8]: [UInt8]] {
    records.reduce(into: [:]) { $0[$1.key] = $1.value }
  }

  @Test(arguments: 1...25)
  func `a compacted log is a legal compaction, and folds as before`(seed: UInt64) async throws {
    var choices = Choices(seed: seed)
    let disk = HostileDisk()
    var history: [Seen] = []
    var now: Int64 = 0
    for _ in 0..<6 {
      let log = try open(disk, now: now, keysMax: [1, 5, 1000][choices.below(3)])
      for _ in 0..<choices.below(40) {
        now += Int64(choices.below(120))
        let records = (0...choices.below(4)).map { _ in
          record(
            "key \(choices.below(12))",
            choices.below(3) == 0 ? nil : String(repeating: "v", count: choices.below(200)))
        }
        let appended = try await log.append(
          AppendBatch(records, timestamp: now), to: messages)
        for (index, record) in records.enumerated() {
          history.append(
            Seen(
              offset: appended.first.rawValue + Int64(index), timestamp: now, key: record.key,
              value: record.value))
        }
      }
      if choices.below(2) == 0 { try await log.roll(messages) }
      let before = try log.bounds(of: messages)
      log.close()
      let compacting = try open(disk, now: now)
      try compacting.maintainOnce(always: true)
      try check(compacting, history, before: before, now: now)
      compacting.close()
      let again = try open(disk, now: now)
      try check(again, history, before: before, now: now)
      again.close()
    }
  }

  private func check(
    _ log: SegmentedLog, _ history: [Seen], before: LogBounds, now: Int64
  ) throws {
    let kept = try log.all(messages)
    let bounds = try log.bounds(of: messages)
    #expect(bounds.end == before.end)
    #expect(bounds.start == before.start)
    #expect(bounds.tombstoneHorizon >= before.tombstoneHorizon)
    #expect(fold(kept) == fold(history))
    let byOffset = Dictionary(uniqueKeysWithValues: history.map { ($0.offset, $0) })
    #expect(kept.allSatisfy { byOffset[$0.offset] == $0 }, "a record was changed")
    #expect(kept.map(\.offset) == kept.map(\.offset).sorted())
    let present = Set(kept.map(\.offset))
    for (index, one) in history.enumerated() where !present.contains(one.offset) {
      let isSuperseded = history[(index + 1)...].contains { $0.key == one.key }
      let mayGo =
        one.value == nil && one.timestamp <= now - CompactionTests.retention
        && one.offset < bounds.tombstoneHorizon.rawValue
      #expect(isSuperseded || mayGo, "offset \(one.offset) is missing")
    }
    // A reader resuming at or behind the horizon misses no deletion.
    for one in history where one.offset >= bounds.tombstoneHorizon.rawValue && one.value == nil {
      let isLast = history.last { $0.key == one.key } == one
      #expect(!isLast || present.contains(one.offset), "tombstone \(one.offset) went too early")
    }
  }

  @Test func `every key of the closed segments stays once`() async throws {
    let disk = HostileDisk()
    let log = try open(disk, now: 0)
    defer { log.close() }
    for index in 0..<500 {
      _ = try await log.append(
        AppendBatch([record("key \(index % 10)", "value \(index)")], timestamp: Int64(index)),
        to: messages)
    }
    try await log.roll(messages)
    let freed = try log.maintainOnce()
    #expect(freed > 30_000)
    #expect(try log.all(messages).map(\.offset) == Array(490..<500))
    // Merged: one segment and the active one.
    #expect(disk.names.filter { $0.contains("messages-0") && $0.hasSuffix(".log") }.count == 2)
    #expect(try log.maintainOnce() == 0, "nothing has come since")
  }

  @Test func `keys beyond the limit of a run are compacted by the next`() async throws {
    let disk = HostileDisk()
    let log = try open(disk, now: 0, keysMax: 50)
    defer { log.close() }
    for index in 0..<600 {
      _ = try await log.append(
        AppendBatch([record("key \(index % 200)", "value \(index)")], timestamp: Int64(index)),
        to: messages)
    }
    try await log.roll(messages)
    for _ in 0..<12 { try log.maintainOnce(always: true) }
    #expect(try log.all(messages).map(\.offset) == Array(400..<600))
  }

  @Test func `a reader that began before compaction reads on in the files it holds`() async throws {
    let disk = HostileDisk()
    let log = try open(disk, now: 0)
    defer { log.close() }
    for index in 0..<100 {
      _ = try await log.append(
        AppendBatch([record("key", "value \(index)")], timestamp: 0), to: messages)
    }
    try await log.roll(messages)
    var sink = Collector()
    let next = try log.read(messages, from: .zero, bytesMax: 1, into: &sink)
    try log.maintainOnce(always: true)
    let rest = try log.all(messages, from: next)
    #expect(rest.map(\.offset) == [99])
    #expect(sink.records.map(\.offset) == [0])
  }

  @Test func `damage in a closed segment stops compaction and changes nothing`() async throws {
    let disk = HostileDisk()
    var log = try open(disk, now: 0)
    for index in 0..<50 {
      _ = try await log.append(
        AppendBatch([record("key", "value \(index)")], timestamp: 0), to: messages)
    }
    try await log.roll(messages)
    log.close()
    let name = try #require(disk.names.first { $0.hasSuffix(".log") && $0.contains("messages") })
    disk[name]?[100] ^= 1
    log = try open(disk, now: 0)
    defer { log.close() }
    #expect(throws: LogError.self) { try log.maintainOnce(always: true) }
    #expect(log.maintenanceFailure != nil)
    #expect(disk.names.allSatisfy { !$0.hasSuffix(".tmp") })
    _ = try await log.append(AppendBatch([record("a", "b")], timestamp: 0), to: messages)
  }

  @Test func `that a log is not compacted is said once, and that it is again`() async throws {
    let disk = HostileDisk()
    let said = Mutex<[String]>([])
    let log = try SegmentedLog(
      opening: "log",
      options: options {
        $0.maintenanceChanged = { failure in
          said.withLock { $0.append("\(failure.map { "\($0)" } ?? "well")") }
        }
      },
      on: disk)
    defer { log.close() }
    for value in ["1", "2"] {
      _ = try await log.append(AppendBatch([record("key", value)], timestamp: 0), to: messages)
    }
    try await log.roll(messages)
    for _ in 0..<3 {
      disk.plan(.fail(ENOSPC), at: disk.operations + 3)
      #expect(throws: LogError.self) { try log.maintainOnce(always: true) }
    }
    #expect(said.withLock { $0.count } == 1)
    for _ in 0..<3 { try log.maintainOnce(always: true) }
    let all = said.withLock { $0 }
    #expect(all.count == 2)
    #expect(all.first?.contains("No space left") == true, "\(all)")
    #expect(all.last == "well")
  }

  @Test func `observations go when they are old, and the start moves`() async throws {
    let disk = HostileDisk()
    let clock = Clock()
    let log = try SegmentedLog(
      opening: "log",
      options: options {
        $0.segmentBytes = 1000
        $0.observationsRetention = .seconds(10)
        $0.now = { clock.now }
      }, on: disk)
    defer { log.close() }
    for index in 0..<100 {
      _ = try await log.append(
        AppendBatch([record("node", "beat \(index)")], timestamp: Int64(index) * 1000),
        to: observations)
    }
    clock.now = 60_000
    try log.maintainOnce()
    let bounds = try log.bounds(of: observations)
    #expect(bounds.start > Offset(30) && bounds.start <= Offset(50))
    #expect(try log.all(observations).map(\.offset) == Array(bounds.start.rawValue..<100))
    var sink = Collector()
    #expect(throws: LogError.trimmed(observations, start: bounds.start)) {
      _ = try log.read(observations, from: .zero, bytesMax: 1000, into: &sink)
    }
    // Everything has expired: the active segment is closed, then removed.
    clock.now = 1_000_000
    try log.maintainOnce()
    try await log.roll(observations)
    try log.maintainOnce()
    #expect(try log.all(observations) == [])
    #expect(try log.bounds(of: observations).start == Offset(100))
    #expect(try log.bounds(of: observations).end == Offset(100))
  }

  @Test func `an expired log starts where it ended, with its time, after opening again`()
    async throws
  {
    let disk = HostileDisk()
    let change: (inout SegmentedLog.Options) -> Void = {
      $0.observationsRetention = .seconds(1)
      $0.now = { 1_000_000 }
    }
    var log = try SegmentedLog(opening: "log", options: options(change), on: disk)
    _ = try await log.append(AppendBatch([record("a", "b")], timestamp: 5), to: observations)
    try await log.roll(observations)
    try log.maintainOnce()
    log.close()
    log = try SegmentedLog(opening: "log", options: options(change), on: disk)
    defer { log.close() }
    #expect(try log.bounds(of: observations).start == Offset(1))
    let next = try await log.append(
      AppendBatch([record("a", "b")], timestamp: 6), to: observations)
    #expect(next.first == Offset(1))
  }
}

final class Clock: Sendable {
  private let time = Atomic<Int64>(0)

  var now: Int64 {
    get { time.load(ordering: .relaxed) }
    set { time.store(newValue, ordering: .relaxed) }
  }
}
