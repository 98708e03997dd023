import EventStorage
import Testing

@Suite struct MemoryLogCompactionTests {
  private let partition = Partition(.messages, 0)

  private func makeLog(_ batches: [[(UInt8, UInt8?)]]) async throws -> MemoryLog {
    let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
    for batch in batches {
      let records = batch.map { key, value in NewRecord(key: [key], value: value.map { [$0] }) }
      _ = try await log.append(AppendBatch(records, timestamp: 0), to: partition)
    }
    return log
  }

  private func record(_ offset: Int64, _ key: UInt8, _ value: UInt8?) -> HeldRecord {
    HeldRecord(offset: offset, key: [key], value: value.map { [$0] })
  }

  @Test func `before the clean point only the last record of a key stays, at its offset`()
    async throws
  {
    let log = try await makeLog([[(1, 10), (2, 20), (1, 11)], [(2, 21)], [(1, 12), (3, 30)]])
    try log.compact(partition, before: Offset(4), dropTombstonesBefore: .zero)
    #expect(
      try log.held(partition) == [
        record(2, 1, 11), record(3, 2, 21), record(4, 1, 12), record(5, 3, 30),
      ])
    #expect(
      try log.bounds(of: partition)
        == LogBounds(
          start: .zero, end: Offset(6), tombstoneHorizon: .zero, cleanPoint: Offset(4),
          cleanTime: 0, cleanings: 1))
  }

  @Test func `a tombstone outlives what it deletes, until the horizon passes it`() async throws {
    let log = try await makeLog([[(1, 10)], [(1, nil)], [(2, 20)]])
    try log.compact(partition, before: Offset(3), dropTombstonesBefore: Offset(1))
    #expect(try log.held(partition) == [record(1, 1, nil), record(2, 2, 20)])
    #expect(try log.bounds(of: partition).tombstoneHorizon == Offset(1))
    try log.compact(partition, before: Offset(3), dropTombstonesBefore: Offset(2))
    #expect(try log.held(partition) == [record(2, 2, 20)])
    #expect(try log.bounds(of: partition).tombstoneHorizon == Offset(2))
    try log.compact(partition, before: Offset(3), dropTombstonesBefore: .zero)
    #expect(try log.bounds(of: partition).tombstoneHorizon == Offset(2))
  }

  @Test func `an end that was compacted away is still the end`() async throws {
    let log = try await makeLog([[(1, nil)], [(1, nil)]])
    try log.compact(partition, before: Offset(2), dropTombstonesBefore: Offset(2))
    #expect(try log.held(partition) == [])
    var sink = NoSink()
    #expect(
      try log.read(partition, from: .zero, bytesMax: 1, into: &sink) == Offset(2))
    #expect(try log.tailStart(of: partition, bytesMax: .max) == .zero)
    let next = try await log.append(
      AppendBatch([NewRecord(key: [1], value: [])], timestamp: 0), to: partition)
    #expect(next.first == Offset(2))
    #expect(try log.held(partition).map(\.offset) == [2])
  }

  @Test func `a clean point behind the end is refused`() async throws {
    let log = try await makeLog([[(1, 1)]])
    #expect(throws: LogError.beyondEnd(partition, end: Offset(1))) {
      try log.compact(partition, before: Offset(2), dropTombstonesBefore: .zero)
    }
  }

  @Test func `a horizon behind the clean point is a mistake`() async {
    await #expect(processExitsWith: .failure) {
      let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
      let partition = Partition(.messages, 0)
      _ = try await log.append(
        AppendBatch([NewRecord(key: [1], value: nil)], timestamp: 0), to: partition)
      try log.compact(partition, before: .zero, dropTombstonesBefore: Offset(1))
    }
  }

  @Test(arguments: 0..<200)
  func `any compaction is a legal one, read from any offset (laws 6 and 8)`(_ seed: UInt64)
    async throws
  {
    var numbers = Numbers(seed: seed)
    var all: [HeldRecord] = []
    let batches: [[(UInt8, UInt8?)]] = (0..<(1 + numbers.next(12))).map { _ in
      (0..<(1 + numbers.next(4))).map { _ in
        (UInt8(numbers.next(4)), numbers.next(3) == 0 ? nil : UInt8(numbers.next(256)))
      }
    }
    for (key, value) in batches.joined() { all.append(record(Int64(all.count), key, value)) }
    let log = try await makeLog(batches)
    var cleaned: Int64 = 0
    var horizon: Int64 = 0
    for _ in 0..<3 {
      let cleanPoint = Int64(numbers.next(all.count + 1))
      let dropBefore = Int64(numbers.next(Int(cleanPoint) + 1))
      try log.compact(
        partition, before: Offset(cleanPoint), dropTombstonesBefore: Offset(dropBefore))
      cleaned = max(cleaned, cleanPoint)
      horizon = max(horizon, dropBefore)

      let held = try log.held(partition)
      #expect(Set(held).isSubset(of: Set(all)) && held == held.sorted { $0.offset < $1.offset })
      for lost in Set(all).subtracting(held) {
        let successor = all.contains {
          $0.key == lost.key && $0.offset > lost.offset && $0.offset < cleaned
        }
        #expect(successor || lost.value == nil && lost.offset < horizon, "\(lost) is gone")
      }
      #expect(truth(held) == truth(all))
      for offset in 0...Int64(all.count) {
        #expect(
          try log.held(partition, from: Offset(offset)) == held.filter { $0.offset >= offset })
      }
    }
  }

  private func truth(_ records: [HeldRecord]) -> [[UInt8]: [UInt8]] {
    var state: [[UInt8]: [UInt8]] = [:]
    for record in records { state[record.key] = record.value }
    return state
  }
}

private struct NoSink: RecordSink {
  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    Issue.record("\(rows.count) records were lent")
  }
}

/// SplitMix64: repeatable by its seed.
private struct Numbers {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next(_ bound: Int) -> Int {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return Int((mixed ^ (mixed >> 31)) % UInt64(bound))
  }
}
