import EventStorage
import SegmentStorage
import Synchronization
import Testing

/// Reading beside a run of compaction (law 7).
@Suite struct BesideCompactionTests {
  /// What a reader had of the log in the middle of a run.
  private struct Begun {
    var bounds: LogBounds
    var keys: [[UInt8]]
    var next: Offset
  }

  /// The run has said how far it will go, and has not gone there yet: the horizon alone tells this reader nothing.
  @Test func `a reader that begins in the middle of a run can see that it goes on`() async throws {
    let disk = HostileDisk()
    let log = try SegmentedLog(
      opening: "log",
      options: options {
        $0.segmentBytes = 1 << 20
        $0.now = { 1_000_000 }
        $0.tombstoneRetention = .milliseconds(1)
      }, on: disk)
    for value in ["1", nil, "2"] as [String?] {
      let key = value == "2" ? "other" : "gone"
      _ = try await log.append(AppendBatch([record(key, value)], timestamp: 0), to: messages)
      try await log.roll(messages)
    }
    log.close()

    let watched = Mutex<SegmentedLog?>(nil)
    let begun = Mutex<Begun?>(nil)
    let isLooking = Mutex(false)
    let beside = WatchedDisk(disk) { _ in
      guard let log = watched.withLock({ $0 }), begun.withLock({ $0 == nil }),
        isLooking.withLock({ looking in
          defer { looking = true }
          return !looking
        })
      else { return }
      defer { isLooking.withLock { $0 = false } }
      guard let bounds = try? log.bounds(of: messages), bounds.tombstoneHorizon > .zero else {
        return
      }
      var seen = Collector()
      guard let next = try? log.read(messages, from: .zero, bytesMax: 1, into: &seen) else {
        return
      }
      begun.withLock { $0 = Begun(bounds: bounds, keys: seen.records.map(\.key), next: next) }
    }
    let again = try SegmentedLog(
      opening: "log",
      options: options {
        $0.now = { 1_000_000 }
        $0.tombstoneRetention = .milliseconds(1)
      }, on: beside)
    defer { again.close() }
    watched.withLock { $0 = again }
    try again.maintainOnce(always: true)
    watched.withLock { $0 = nil }

    let reader = try #require(begun.withLock { $0 })
    #expect(reader.keys == [Array("gone".utf8)])
    let bounds = try again.bounds(of: messages)
    let rest = try again.all(messages).filter { $0.offset >= reader.next.rawValue }
    #expect(rest.map(\.key) == [Array("other".utf8)], "the tombstone went beside it")
    #expect(bounds.tombstoneHorizon == reader.bounds.tombstoneHorizon)
    #expect(bounds.cleanings > reader.bounds.cleanings)
  }
}
