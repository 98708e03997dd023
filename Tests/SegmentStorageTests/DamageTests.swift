import EventStorage
import SegmentStorage
import Testing

/// Files changed behind the log's back (laws 13 and 14).
@Suite struct DamageTests {
  private let path = "log/messages-0/00000000000000000000.log"

  private func open(
    _ disk: HostileDisk, _ change: (inout SegmentedLog.Options) -> Void = { _ in }
  ) throws -> SegmentedLog {
    try SegmentedLog(opening: "log", options: options(change), on: disk)
  }

  /// A log of a few small batches.
  private func written(segmentBytes: Int = 1500, closed: Bool) async throws -> (
    disk: HostileDisk, records: [Seen], ends: [Int]
  ) {
    let disk = HostileDisk()
    let log = try open(disk) { $0.segmentBytes = segmentBytes }
    var ends: [Int] = []
    for index in 0..<6 {
      _ = try await log.append(
        AppendBatch(
          [record("k\(index)", "v\(index)"), record("t", nil)], timestamp: Int64(index),
          idempotencyKey: index == 3 ? "once" : nil), to: messages)
      ends.append((disk[path] ?? []).lastIndex { $0 != 0 } ?? 0)
    }
    let records = try log.all(messages)
    let left = disk.copy()
    log.close()
    return (closed ? disk.copy() : left, records, ends)
  }

  /// The records, or nil when damage was named.
  private func found(_ disk: HostileDisk) throws -> [Seen]? {
    do {
      let log = try open(disk)
      defer { log.close() }
      return try log.all(messages)
    } catch let error as LogError {
      guard case .corrupt(messages, _, _) = error else { throw error }
      return nil
    }
  }

  @Test func `every flipped bit of a log that was closed is named, or changes nothing`()
    async throws
  {
    let (disk, records, _) = try await written(closed: true)
    let whole = try #require(disk[path])
    #expect(whole.count > 400 && whole.count < 1000)
    for bit in 0..<whole.count * 8 {
      let damaged = disk.copy()
      damaged[path]?[bit / 8] ^= 1 << UInt8(bit % 8)
      let found = try found(damaged)
      #expect(found == nil, "bit \(bit) gives \(found?.count ?? 0) of \(records.count)")
    }
  }

  @Test func `every flipped bit of a log that crashed is named, or costs the last batch at most`()
    async throws
  {
    let (disk, records, ends) = try await written(closed: false)
    for bit in 0..<(ends[5] + 1) * 8 {
      let damaged = disk.copy()
      damaged[path]?[bit / 8] ^= 1 << UInt8(bit % 8)
      let found = try found(damaged)
      let isLast = bit / 8 > ends[4]
      // To a log that crashed, the last batch looks like one that never became durable.
      let isRight = found == nil || (isLast && found == Array(records.prefix(10)))
      #expect(isRight, "bit \(bit) gives \(found?.count ?? 0) of \(records.count)")
    }
  }

  @Test func `a log that was closed and then truncated anywhere is named`() async throws {
    let (disk, _, _) = try await written(closed: true)
    let whole = try #require(disk[path])
    for count in 0..<whole.count {
      let damaged = disk.copy()
      damaged[path] = Array(whole.prefix(count))
      #expect(try found(damaged) == nil, "\(count) bytes")
    }
    let missing = disk.copy()
    missing[path] = nil
    #expect(try found(missing) == nil)
  }

  @Test func `a tail torn at any byte is cut off, and appending goes on behind it`() async throws {
    let (disk, records, ends) = try await written(closed: false)
    let whole = try #require(disk[path])
    for count in 0...ends[5] {
      for isZeroed in [false, true] {
        let torn = disk.copy()
        torn[path] =
          Array(whole.prefix(count))
          + (isZeroed ? [UInt8](repeating: 0, count: whole.count - count) : [])
        let log = try open(torn) { $0.segmentBytes = 1500 }
        // Every batch ends in one zero: among zeros it is whole without it.
        let batches = ends.count { count > $0 + (isZeroed ? 0 : 1) }
        let seen = try log.all(messages)
        #expect(seen == Array(records.prefix(batches * 2)), "torn at \(count)")
        let next = try await log.append(
          AppendBatch([record("new", "new")], timestamp: 0), to: messages)
        #expect(next.first.rawValue == Int64(seen.count))
        let after = torn.copy()
        log.close()
        let again = try open(after)
        #expect(try again.all(messages).count == seen.count + 1)
        again.close()
      }
    }
  }

  @Test func `damage before a valid batch is named with its offset`() async throws {
    let (disk, _, ends) = try await written(closed: false)
    disk[path]?[ends[1] + 40] ^= 8
    #expect {
      _ = try open(disk)
    } throws: { error in
      guard case .corrupt(messages, at: Offset(4), let detail)? = error as? LogError else {
        return false
      }
      return detail.contains("records from 6 follow")
    }
  }

  @Test func `damage in a closed segment is found by reading, after lending what comes before`()
    async throws
  {
    let (disk, records, _) = try await written(segmentBytes: 200, closed: true)
    let name = try #require(
      disk.names.filter { $0.contains("messages-0") && $0.hasSuffix(".log") }.dropFirst().first)
    let base = try #require(Int64(name.split(separator: "/").last?.dropLast(4) ?? ""))
    disk[name]?[70] ^= 1
    let log = try open(disk)
    defer { log.close() }
    var sink = Collector()
    #expect {
      var position = Offset.zero
      while position < Offset(12) {
        position = try log.read(messages, from: position, bytesMax: 1 << 20, into: &sink)
      }
    } throws: { error in
      guard case .corrupt(messages, at: Offset(base), _)? = error as? LogError else { return false }
      return true
    }
    #expect(sink.records == records.filter { $0.offset < base })
  }

  @Test func `an index that is missing or damaged is made again`() async throws {
    let (disk, records, _) = try await written(segmentBytes: 200, closed: true)
    let indexes = disk.names.filter { $0.hasSuffix(".index") }
    #expect(indexes.count >= 2)
    for name in indexes {
      let content = try #require(disk[name])
      for index in content.indices {
        let damaged = disk.copy()
        damaged[name]?[index] ^= 0x10
        #expect(try found(damaged) == records)
        #expect(damaged[name] == content)
      }
      let missing = disk.copy()
      missing[name] = nil
      #expect(try found(missing) == records)
      #expect(missing[name] == content)
    }
  }

  @Test func `a missing segment in the middle is named`() async throws {
    let (disk, _, _) = try await written(segmentBytes: 200, closed: true)
    let logs = disk.names.filter { $0.contains("messages-0") && $0.hasSuffix(".log") }
    disk[logs[1]] = nil
    #expect(throws: LogError.self) { try open(disk) }
  }

  @Test(arguments: ["appends.state", "compaction.state"])
  func `a state file with any flipped bit is named`(name: String) async throws {
    let disk = HostileDisk()
    let log = try open(disk) { $0.tombstoneRetention = .zero }
    for index in 0..<3 {
      _ = try await log.append(
        AppendBatch(
          [record("a", nil)], timestamp: 0, idempotencyKey: "key \(index)",
          writer: Writer(id: 4, epoch: 2)), to: messages)
    }
    try await log.roll(messages)
    try log.maintainOnce(always: true)
    log.close()
    let file = "log/messages-0/" + name
    let content = try #require(disk[file])
    for bit in 0..<content.count * 8 {
      let damaged = disk.copy()
      damaged[file]?[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: LogError.self) { try open(damaged) }
    }
    if name == "appends.state" {
      disk[file] = nil
      #expect(throws: LogError.self) { try open(disk) }
    }
  }

  @Test func `a segment of another partition is named, and left as it is`() async throws {
    let (disk, _, _) = try await written(closed: true)
    let other = "log/deliveries-0/00000000000000000000.log"
    disk[other] = disk[path]
    #expect {
      _ = try open(disk)
    } throws: { error in
      (error as? LogError)?.description.contains("another log or partition") == true
    }
    #expect(disk[other] == disk[path])
  }
}
