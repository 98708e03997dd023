import EventStorage
import Glibc
import SegmentStorage
import Synchronization
import Testing

import class Foundation.Thread

@Suite struct AppendTests {
  private func open(
    _ disk: any Disk, _ change: (inout SegmentedLog.Options) -> Void = { _ in }
  ) throws -> SegmentedLog {
    try SegmentedLog(opening: "log", options: options(change), on: disk)
  }

  private func one(_ key: String, idempotencyKey: String? = nil, writer: Writer? = nil)
    -> AppendBatch
  {
    AppendBatch(
      [record(key, "value of \(key)")], timestamp: 0, idempotencyKey: idempotencyKey,
      writer: writer)
  }

  @Test func `an append that is repeated adds nothing, also after opening again and compaction`()
    async throws
  {
    let disk = HostileDisk()
    var log = try open(disk)
    _ = try await log.append(one("x"), to: messages)
    let first = try await log.append(
      AppendBatch([record("a", "1"), record("b", "2")], timestamp: 0, idempotencyKey: "k"),
      to: messages)
    #expect(first == Appended(first: Offset(1), end: Offset(3)))
    let again = Appended(first: Offset(1), end: Offset(3), isRepeat: true)
    #expect(try await log.append(one("other", idempotencyKey: "k"), to: messages) == again)
    // Keys are a partition's own.
    #expect(
      try await log.append(one("a", idempotencyKey: "k"), to: topology).isRepeat == false)
    _ = try await log.append(
      AppendBatch([record("a", nil), record("b", nil)], timestamp: 0), to: messages)
    let crashed = disk.copy()
    log.close()
    for disk in [disk, crashed] {
      log = try open(disk)
      #expect(try await log.append(one("other", idempotencyKey: "k"), to: messages) == again)
      try await log.roll(messages)
      try log.maintainOnce(always: true)
      #expect(try log.all(messages).map(\.offset) == [0, 3, 4])
      log.close()
      log = try open(disk)
      #expect(try await log.append(one("other", idempotencyKey: "k"), to: messages) == again)
      log.close()
    }
  }

  @Test func `the oldest idempotency keys are forgotten beyond the limit`() async throws {
    let log = try open(HostileDisk())
    defer { log.close() }
    let count = LogLimits.idempotencyKeysMax + 1
    let waiting = Atomic<Int>(0)
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      for index in 0..<count {
        log.append(one("a", idempotencyKey: "key \(index)"), to: messages) { _ in
          if waiting.add(1, ordering: .relaxed).newValue == count { done.resume() }
        }
      }
    }
    #expect(try await log.append(one("a", idempotencyKey: "key 1"), to: messages).isRepeat)
    #expect(try await !log.append(one("a", idempotencyKey: "key 0"), to: messages).isRepeat)
  }

  @Test func `an append and its repeat that wait together are one`() async throws {
    let log = try open(HostileDisk())
    defer { log.close() }
    let answers = await withTaskGroup(of: Appended?.self) { group in
      for _ in 0..<50 {
        group.addTask { try? await log.append(one("a", idempotencyKey: "same"), to: messages) }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers.allSatisfy { $0?.first == .zero && $0?.end == Offset(1) })
    #expect(answers.count { $0?.isRepeat == false } == 1)
    #expect(try log.all(messages).count == 1)
  }

  @Test func `a fenced writer is kept out, also after opening again and compaction`() async throws {
    let disk = HostileDisk()
    var log = try open(disk)
    let old = try await log.fence(writer: 3, in: topology)
    #expect(old == Writer(id: 3, epoch: 0))
    _ = try await log.append(one("a", writer: old), to: topology)
    let new = try await log.fence(writer: 3, in: topology)
    #expect(new == Writer(id: 3, epoch: 1))
    await #expect(throws: LogError.fenced(writer: old, current: 1)) {
      try await log.append(one("b", writer: old), to: topology)
    }
    _ = try await log.append(one("c", writer: new), to: topology)
    // Fences take offsets and are not records.
    #expect(try log.all(topology).map(\.offset) == [1, 3])
    #expect(try log.bounds(of: topology).end == Offset(4))
    try await log.roll(topology)
    try log.maintainOnce(always: true)
    let crashed = disk.copy()
    log.close()
    for disk in [disk, crashed] {
      log = try open(disk)
      await #expect(throws: LogError.fenced(writer: old, current: 1)) {
        try await log.append(one("b", writer: old), to: topology)
      }
      #expect(try log.all(topology).map(\.offset) == [1, 3])
      #expect(try await log.fence(writer: 3, in: topology).epoch == 2)
      log.close()
    }
    await #expect(throws: LogError.closed) { try await log.fence(writer: 3, in: topology) }
  }

  @Test func `what is over a limit is refused with the limit, and nothing is appended`()
    async throws
  {
    let log = try open(HostileDisk())
    defer { log.close() }
    let large = [UInt8](repeating: 0, count: LogLimits.recordBytesMax)
    let cases: [AppendBatch] = [
      AppendBatch([], timestamp: 0),
      AppendBatch([NewRecord(key: [1], value: large)], timestamp: 0),
      AppendBatch(
        Array(repeating: NewRecord(key: [], value: large), count: 5), timestamp: 0),
      AppendBatch(
        Array(repeating: record("a", nil), count: LogLimits.batchRecordsMax + 1), timestamp: 0),
      one("a", idempotencyKey: String(repeating: "k", count: 256)),
    ]
    for batch in cases {
      await #expect {
        try await log.append(batch, to: messages)
      } throws: { error in
        if case .tooLarge? = error as? LogError { true } else { false }
      }
    }
    await #expect(throws: LogError.noSuchPartition(Partition(.topology, 1))) {
      try await log.append(one("a"), to: Partition(.topology, 1))
    }
    #expect(try log.bounds(of: messages).end == .zero)
    // The largest that is allowed comes back whole.
    let most = AppendBatch(
      Array(repeating: NewRecord(key: [], value: large), count: 4), timestamp: 0)
    _ = try await log.append(most, to: messages)
    #expect(try log.all(messages).map(\.value) == most.records.map(\.value))
  }

  @Test func `appends beyond what may wait are refused`() async throws {
    let log = try open(HostileDisk())
    defer { log.close() }
    let batch = AppendBatch(
      [NewRecord(key: [], value: [UInt8](repeating: 7, count: 4 << 20))], timestamp: 0)
    let results = await withCheckedContinuation {
      (done: CheckedContinuation<[Result<Appended, LogError>], Never>) in
      let all = Mutex<[Result<Appended, LogError>]>([])
      for _ in 0..<100 {
        log.append(batch, to: messages) { result in
          let results = all.withLock { all in
            all.append(result)
            return all
          }
          if results.count == 100 { done.resume(returning: results) }
        }
      }
    }
    let refused = results.filter {
      if case .failure(.tooLarge) = $0 { true } else { false }
    }
    let appended = results.filter { if case .success = $0 { true } else { false } }
    #expect(refused.count + appended.count == 100)
    #expect(refused.count > 0 && appended.count >= 16)
    #expect(try log.bounds(of: messages).end == Offset(Int64(appended.count)))
  }

  @Test(arguments: [EIO, ENOSPC])
  func `after a failed sync nothing is acknowledged until the log is opened again`(
    code: Int32
  ) async throws {
    let disk = HostileDisk()
    var log = try open(disk) { $0.segmentBytes = 1 }
    _ = try await log.append(one("a"), to: messages)
    // A second append rolls: it truncates, syncs, writes states, and so on. Any of them may fail.
    disk.plan(.fail(code), at: disk.operations + 2)
    await #expect {
      try await log.append(one("b"), to: messages)
    } throws: { error in
      switch error as? LogError {
      case .full: code == ENOSPC
      case .stopped: code == EIO
      default: false
      }
    }
    // The disk is well again, and still nothing goes.
    await #expect(throws: LogError.self) { try await log.append(one("c"), to: messages) }
    await #expect(throws: LogError.self) { try await log.fence(writer: 1, in: messages) }
    #expect(try log.all(messages).map(\.offset) == [0])
    // Nor in another partition: the disk is the same.
    await #expect(throws: LogError.self) { try await log.append(one("d"), to: topology) }
    log.close()
    log = try open(disk)
    defer { log.close() }
    _ = try await log.append(one("e"), to: messages)
    #expect(try log.all(messages).first?.key == Array("a".utf8))
    #expect(try log.all(messages).last?.key == Array("e".utf8))
  }

  @Test func `a closed log says so, and wakes who waits`() async throws {
    let log = try open(HostileDisk())
    async let woken = onThread {
      log.waitForRecords(in: messages, after: .zero, for: .seconds(3600))
    }
    log.close()
    #expect(await woken == false)
    log.close()
    await #expect(throws: LogError.closed) { try await log.append(one("a"), to: messages) }
    #expect(throws: LogError.closed) { try log.bounds(of: messages) }
    var sink = Collector()
    #expect(throws: LogError.closed) {
      try log.read(messages, from: .zero, bytesMax: 1, into: &sink)
    }
  }

  @Test func `what waits when the log closes becomes durable first`() async throws {
    let disk = HostileDisk()
    var log = try open(disk)
    let answers = Mutex(0)
    for index in 0..<200 {
      log.append(one("\(index)"), to: messages) { result in
        if case .success = result { answers.withLock { $0 += 1 } }
      }
    }
    log.close()
    #expect(answers.withLock { $0 } == 200)
    log = try open(disk)
    #expect(try log.all(messages).count == 200)
    log.close()
  }

  @Test func `writers and readers at once see one order, without holes`() async throws {
    let log = try open(HostileDisk()) { $0.segmentBytes = 4000 }
    defer { log.close() }
    let total = 8 * 60
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<8 {
        group.addTask {
          for index in 0..<60 {
            let name = "\(writer)-\(index)"
            let appended = try await log.append(one(name), to: messages)
            var sink = Collector()
            _ = try log.read(messages, from: appended.first, bytesMax: 1, into: &sink)
            #expect(sink.records.first?.key == Array(name.utf8))
          }
        }
      }
      for _ in 0..<2 {
        group.addTask {
          let seen = await onThread { () -> [Int64] in
            var sink = Collector()
            var position = Offset.zero
            while position < Offset(Int64(total)) {
              guard log.waitForRecords(in: messages, after: position, for: .seconds(60)),
                let next = try? log.read(messages, from: position, bytesMax: 4096, into: &sink)
              else { return [] }
              position = next
            }
            return sink.records.map(\.offset)
          }
          #expect(seen == Array(0..<Int64(total)))
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func `a reader at the end waits as long as it is told`() throws {
    let log = try open(HostileDisk())
    defer { log.close() }
    #expect(!log.waitForRecords(in: messages, after: .zero, for: .zero))
    #expect(!log.waitForRecords(in: messages, after: .zero, for: .milliseconds(1)))
    var sink = Collector()
    #expect(try log.read(messages, from: .zero, bytesMax: 10, into: &sink) == .zero)
    #expect(throws: LogError.beyondEnd(messages, end: .zero)) {
      try log.read(messages, from: Offset(1), bytesMax: 10, into: &sink)
    }
    #expect(sink.batches == 0)
  }

  @Test func `the tail of a log is found by its bytes`() async throws {
    let log = try open(HostileDisk()) {
      $0.segmentBytes = 300_000
      $0.compression = .none
    }
    defer { log.close() }
    let value = [UInt8](repeating: 1, count: 10_000)
    for _ in 0..<100 {
      _ = try await log.append(
        AppendBatch([NewRecord(key: [1], value: value)], timestamp: 0), to: messages)
    }
    #expect(try log.tailStart(of: messages, bytesMax: 100_000_000) == .zero)
    for bytes in [50_000, 200_000, 400_000, 900_000] {
      let start = try log.tailStart(of: messages, bytesMax: bytes).rawValue
      let read = (100 - Int(start)) * 10_090
      #expect(read <= bytes && read > bytes - 40_000, "\(bytes): \(read)")
    }
  }
}

/// Runs what blocks on a thread of its own.
func onThread<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread { continuation.resume(returning: body()) }
  }
}
