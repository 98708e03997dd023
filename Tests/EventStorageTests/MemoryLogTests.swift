import EventStorage
import Testing

/// What the log in memory does besides the contract: trimming, and the edges of writers.
@Suite struct MemoryLogTests {
  private let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
  private let partition = Partition(.messages, 0)

  /// Three batches of three records, at 0, 3 and 6.
  private func fill() async throws {
    for batch in 0..<3 {
      let records = (0..<3).map { NewRecord(key: [UInt8(batch * 3 + $0)], value: [1, 2, 3]) }
      _ = try await log.append(AppendBatch(records, timestamp: 5), to: partition)
    }
  }

  @Test func `nothing before a trim is read, also inside a batch`() async throws {
    try await fill()
    for start in 0...9 {
      let start = Offset(Int64(start))
      try log.trim(partition, before: start)
      #expect(
        try log.bounds(of: partition)
          == LogBounds(
            start: start, end: Offset(9), tombstoneHorizon: .zero, cleanPoint: start,
            cleanTime: start == .zero ? .min : 5))
      #expect(try log.offsets(partition) == Array(start.rawValue..<9))
      #expect(try log.tailStart(of: partition, bytesMax: .max) == start)
      if start > .zero {
        #expect(throws: LogError.trimmed(partition, start: start)) {
          try log.offsets(partition, from: Offset(start.rawValue - 1))
        }
      }
    }
  }

  @Test func `a trim never goes back, and never behind the end`() async throws {
    try await fill()
    try log.trim(partition, before: Offset(4))
    try log.trim(partition, before: Offset(2))
    #expect(try log.bounds(of: partition).start == Offset(4))
    #expect(throws: LogError.beyondEnd(partition, end: Offset(9))) {
      try log.trim(partition, before: Offset(10))
    }
    let next = try await log.append(
      AppendBatch([NewRecord(key: [], value: nil)], timestamp: 0), to: partition)
    #expect(next.first == Offset(9))
  }

  @Test func `a reader that is lent batches does not see the trim under way`() async throws {
    try await fill()
    var sink = TrimmingSink(log: log, partition: partition)
    let next = try log.read(partition, from: .zero, bytesMax: .max, into: &sink)
    #expect(sink.offsets == Array(0..<9))
    #expect(next == Offset(9))
    #expect(try log.bounds(of: partition).start == Offset(9))
  }

  @Test func `a fence takes an offset that no record ever has`() async throws {
    let writer = try await log.fence(writer: 4, in: partition)
    #expect(writer == Writer(id: 4, epoch: 0))
    try await fill()
    #expect(try log.offsets(partition) == Array(1..<10))
  }

  @Test func `the epochs of a writer run out with an error`() async throws {
    let last = Writer(id: 4, epoch: .max)
    let record = NewRecord(key: [], value: nil)
    _ = try await log.append(AppendBatch([record], timestamp: 0, writer: last), to: partition)
    await #expect(
      throws: LogError.tooLarge(what: "epoch of writer 4", size: 32_768, limit: 32_767)
    ) { try await log.fence(writer: 4, in: partition) }
  }
}

/// Trims the whole partition as soon as it is lent something.
private struct TrimmingSink: RecordSink {
  let log: MemoryLog
  let partition: Partition
  private(set) var offsets: [Int64] = []

  init(log: MemoryLog, partition: Partition) {
    self.log = log
    self.partition = partition
  }

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    do {
      try log.trim(partition, before: try log.bounds(of: partition).end)
    } catch { Issue.record(error) }
    for index in rows.indices { offsets.append(rows[index].offset.rawValue) }
  }
}
