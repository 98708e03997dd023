import EventStorage
import SegmentStorage
import Synchronization
import Testing

/// A log that is opened for reading while another process writes, closes, merges and removes its segments.
@Suite struct BesideTests {
  /// What the writer does while the other one opens the log.
  enum Doing: String, CaseIterable {
    case oneAppend, threeAppends, twoRolls, compaction, everything
  }

  /// Numbers under a few keys, each larger than the one before.
  private final class Numbers: Sendable {
    let log: SegmentedLog
    private let next = Atomic(0)

    init(_ log: SegmentedLog) { self.log = log }

    /// The newest number of each key.
    var newest: [String: Int] {
      let count = next.load(ordering: .relaxed)
      return Dictionary((0..<count).map { ("k\($0 % 7)", $0) }, uniquingKeysWith: { max($0, $1) })
    }

    func append(_ count: Int) {
      for _ in 0..<count {
        let number = next.load(ordering: .relaxed)
        log.append(
          AppendBatch([record("k\(number % 7)", "\(number)")], timestamp: Int64(number)),
          to: messages
        ) { _ in }
        log.commitOnce()
        next.store(number + 1, ordering: .relaxed)
      }
    }

    func roll() {
      // Larger than a segment may be.
      log.append(
        AppendBatch([record("large", String(repeating: "x", count: 3000))], timestamp: 0),
        to: messages
      ) { _ in }
      log.commitOnce()
      append(1)
    }

    func act(_ doing: Doing) throws {
      switch doing {
      case .oneAppend: append(1)
      case .threeAppends: append(3)
      case .twoRolls:
        roll()
        roll()
      case .compaction: try log.maintainOnce(always: true)
      case .everything:
        append(2)
        roll()
        roll()
        try log.maintainOnce(always: true)
        append(1)
      }
    }
  }

  /// What the writer of a busy log has done so far.
  private final class Writing: Sendable {
    let isOver = Atomic(false)
    let acknowledged = Mutex<[String: Int]>([:])
  }

  private static func check(_ reader: SegmentedLog, has known: [String: Int], _ what: String) throws
  {
    var found: [String: Int] = [:]
    for seen in try reader.all(messages) {
      found[String(decoding: seen.key, as: UTF8.self)] = Int(
        String(decoding: seen.value ?? [], as: UTF8.self))
    }
    for (key, number) in known { #expect(found[key, default: -1] >= number, "\(what): \(key)") }
  }

  @Test(arguments: Doing.allCases)
  func `whatever a writer does at whichever moment of an opening is no damage (law 14)`(
    _ doing: Doing
  ) throws {
    var moment = 0
    var wasReached = true
    while wasReached {
      moment += 1
      let disk = HostileDisk()
      let numbers = Numbers(
        try SegmentedLog(
          opening: "log",
          options: options {
            $0.commits = .whenAsked; $0.segmentBytes = 2000
          }, on: disk))
      numbers.append(10)
      numbers.roll()
      numbers.roll()
      numbers.append(10)
      let known = numbers.newest
      let watched = WatchedDisk(disk) { [moment] operation in
        if operation == moment { try? numbers.act(doing) }
      }
      let what = "\(doing) before operation \(moment)"
      do {
        let reader = try SegmentedLog(
          opening: "log", options: options { $0.isReadOnly = true }, on: watched)
        try BesideTests.check(reader, has: known, what)
        reader.close()
      } catch { Issue.record("\(what): \(error)") }
      wasReached = watched.operations >= moment
      numbers.log.close()
    }
    #expect(moment > 15)
  }

  @Test func `damage is found beside a writer too (law 14)`() throws {
    let disk = HostileDisk()
    let numbers = Numbers(
      try SegmentedLog(opening: "log", options: options { $0.commits = .whenAsked }, on: disk))
    numbers.append(10)
    let name = "log/messages-0/00000000000000000000.log"
    let copy = disk.copy()
    var bytes = copy[name] ?? []
    bytes[100] ^= 1
    copy[name] = bytes
    #expect {
      _ = try SegmentedLog(opening: "log", options: options { $0.isReadOnly = true }, on: copy)
    } throws: { "\($0)".contains("records from") }
    numbers.log.close()
  }

  @Test func `a busy log is opened again and again, and never called damaged`() async throws {
    let directory = try TemporaryDirectory()
    let log = try SegmentedLog(
      opening: directory.path,
      options: options {
        $0.segmentBytes = 16 << 10
        $0.maintenanceInterval = .milliseconds(3)
      })
    let writing = Writing()
    let path = directory.path
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        var number = 0
        while !writing.isOver.load(ordering: .relaxed) {
          let key = "k\(number % 50)"
          let value = "\(number)"
          _ = try await log.append(
            AppendBatch([record(key, value)], timestamp: Int64(number)), to: messages)
          writing.acknowledged.withLock { [number] in $0[key] = number }
          number += 1
        }
      }
      group.addTask {
        defer { writing.isOver.store(true, ordering: .relaxed) }
        for round in 0..<400 {
          let known = writing.acknowledged.withLock { $0 }
          let reader = try SegmentedLog(
            opening: path, options: options { $0.isReadOnly = true })
          try BesideTests.check(reader, has: known, "round \(round)")
          reader.close()
          await Task.yield()
        }
      }
      try await group.waitForAll()
    }
    log.close()
    withExtendedLifetime(directory) {}
  }
}
