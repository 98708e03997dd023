import EventStorage
import Foundation
import SegmentStorage
import Testing

@testable import Benchmarks

@Suite struct MeasuringTests {
  @Test func `the synthetic events are the same in every run`() {
    var first = SyntheticEvents(seed: 7, channels: 100)
    var second = SyntheticEvents(seed: 7, channels: 100)
    #expect(first.batch(of: 500) == second.batch(of: 500))
    let messages = first.batch(of: 1000).records.count { $0.key.contains(0) }
    #expect((870...930).contains(messages))
  }

  @Test func `the log, its bare file and SQLite hold the same events`() async throws {
    let folder = try WorkFolder(in: NSTemporaryDirectory())
    defer { folder.remove() }
    let log = try await SyntheticLog.make(folder.path + "/log", events: 2500, partitions: 1)
    defer { log.close() }
    var ours = RowCounter()
    try fold(log, Partition(.messages, 0), into: &ours)
    let rows = try SQLiteEvents(folder.path + "/rows.sqlite")
    try SyntheticLog.forEachBatch(events: 2500, seed: SyntheticLog.seed) { try rows.append($0) }
    var theirs = RowCounter()
    try rows.read(batches: 700, into: &theirs)
    #expect(ours.rows == 2500)
    #expect(theirs.rows == 2500)
    #expect(ours.digest == theirs.digest)
    let stored = try StoredBatches(folder: folder.path + "/log/messages-0")
    var batches = 0
    stored.forEach { _ in batches += 1 }
    #expect(batches == 3)
    #expect(try stored.checkAndInflate() > stored.byteCount)
  }

  @Test func `a server that was started ends when it is told to`() throws {
    let folder = try WorkFolder(in: NSTemporaryDirectory())
    defer { folder.remove() }
    let child = try ChildProcess(
      "/bin/sh", ["-c", "echo ready; exec sleep 600"], errors: folder.path + "/stderr")
    #expect(try child.line(within: 10) == "ready")
    #expect(child.residentBytes > 0)
    child.end()
    #expect(kill(child.pid, 0) == -1)
  }

  @Test func `a server does not outlive a benchmark that traps`() async throws {
    let folder = try WorkFolder(in: NSTemporaryDirectory())
    defer { folder.remove() }
    let note = folder.path + "/pid"
    await #expect(processExitsWith: .failure) { [note = note as String] in
      let child = try ChildProcess("/bin/sleep", ["600"], errors: "/dev/null")
      try "\(child.pid)".write(toFile: note, atomically: true, encoding: .utf8)
      preconditionFailure("as a wrong benchmark does")
    }
    let pid = try #require(pid_t(contents(ofFile: note)))
    // Whoever adopts it may take a moment to notice that it is dead.
    let deadline = wallSeconds() + 10
    while kill(pid, 0) == 0, !isZombie(pid), wallSeconds() < deadline { usleep(5000) }
    #expect(kill(pid, 0) == -1 || isZombie(pid))
  }

  private func isZombie(_ pid: pid_t) -> Bool {
    contents(ofFile: "/proc/\(pid)/stat").contains(") Z ")
  }

  @Test func `a server that ends at once is noticed`() throws {
    let folder = try WorkFolder(in: NSTemporaryDirectory())
    defer { folder.remove() }
    let child = try ChildProcess("/bin/false", [], errors: folder.path + "/stderr")
    #expect(throws: BenchmarkFailure.self) { try child.line(within: 10) }
  }
}

@Suite struct RuntimeCountersTests {
  final class Thing { var number = 0 }

  /// In a process of its own: counting touches the runtime of the whole process.
  @Test func `objects that work allocates are counted`() async {
    await #expect(processExitsWith: .success) {
      var kept: [Thing] = []
      kept.reserveCapacity(1000)
      let counters = RuntimeCounters.count {
        for _ in 0..<1000 { kept.append(Thing()) }
      }
      precondition(kept.count == 1000)
      precondition(counters?.allocations ?? 0 >= 1000, "\(String(describing: counters))")
    }
  }
}
