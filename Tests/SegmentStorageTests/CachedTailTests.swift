import EventStorage
import Glibc
import PropertyTesting
import SegmentStorage
import Testing

/// What a process that died or failed left in the cache of the operating system, and a power cut after that.
@Suite struct CachedTailTests {
  private func append(_ key: String, to log: SegmentedLog) async throws {
    _ = try await log.append(AppendBatch([record(key, "1")], timestamp: 1), to: messages)
  }

  /// The keys that every power cut must leave.
  private func check(_ disk: HostileDisk, has keys: [String], _ what: String) throws {
    for seed in 0..<20 as Range<UInt64> {
      var choices = Choices(seed: seed)
      let log = try SegmentedLog(opening: "log", options: options(), on: disk.crashed(&choices))
      let found = try log.all(messages).map { String(decoding: $0.key, as: UTF8.self) }
      #expect(found.starts(with: keys), "\(what), power cut \(seed)")
    }
  }

  @Test(
    arguments: [HostileDisk.Fault.fail(EIO), .failAndForget(EIO), .kill]
  )
  func `what an opening shows is durable, whatever the last process left (law 13)`(
    _ fault: HostileDisk.Fault
  ) async throws {
    // The write of the second append, its sync, and what follows.
    for operation in 1...6 {
      let disk = HostileDisk()
      var log = try SegmentedLog(opening: "log", options: options(), on: disk)
      try await append("a", to: log)
      disk.plan(fault, at: disk.operations + operation)
      try? await append("b", to: log)
      log.close()
      disk.revive()
      log = try SegmentedLog(opening: "log", options: options(), on: disk)
      let shown = try log.all(messages).map { String(decoding: $0.key, as: UTF8.self) }
      try check(disk, has: shown, "operation \(operation)")
      try await append("c", to: log)
      try check(disk, has: shown + ["c"], "operation \(operation), one more")
    }
  }

  @Test func `an opening that the power ends harms nothing that was durable (law 13)`() async throws
  {
    // Reading, copying the segment, putting the copy in its place.
    var isWhole = false
    var operation = 0
    while !isWhole {
      operation += 1
      let disk = HostileDisk()
      let first = try SegmentedLog(opening: "log", options: options(), on: disk)
      try await append("a", to: first)
      try await append("b", to: first)
      disk.kill()
      disk.revive()
      disk.plan(.kill, at: disk.operations + operation)
      isWhole = (try? SegmentedLog(opening: "log", options: options(), on: disk)) != nil
      disk.revive()
      try check(disk, has: ["a", "b"], "operation \(operation)")
    }
    #expect(operation > 20)
  }

  @Test func `names that could not be synced once are synced by the next opening (law 13)`()
    async throws
  {
    for operation in 1...80 {
      let disk = HostileDisk()
      disk.plan(.fail(EIO), at: operation)
      if let log = try? SegmentedLog(opening: "log", options: options(), on: disk) {
        try? await append("a", to: log)
        log.close()
      }
      disk.revive()
      let log = try SegmentedLog(opening: "log", options: options(), on: disk)
      try await append("b", to: log)
      let keys = try log.all(messages).map { String(decoding: $0.key, as: UTF8.self) }
      try check(disk, has: keys, "operation \(operation)")
    }
  }
}
