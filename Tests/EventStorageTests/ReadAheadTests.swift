import EventLogContract
import EventStorage
import Testing

@Suite struct ReadAheadTests {
  private static let partition = Partition(.messages, 0)
  private static let kibibyte = 1 << 10

  /// Batches of several sizes, and holes: one larger than a piece, many that are smaller, some without a byte of value.
  private static func filled() async throws -> MemoryLog {
    let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
    for (index, size) in [1, 300, 0, 900, 2].enumerated() {
      for number in 0..<(size == 0 ? 9000 : 3) {
        let value = [UInt8](repeating: UInt8(index), count: size * kibibyte)
        let records = [
          NewRecord(key: Array("\(index) \(number)".utf8), value: value),
          NewRecord(key: Array("\(index)".utf8), value: number % 2 == 0 ? nil : []),
        ]
        _ = try await log.append(AppendBatch(records, timestamp: Int64(index)), to: partition)
      }
      _ = try await log.fence(writer: 1, in: partition)
    }
    return log
  }

  @Test func `every record is lent once and in order, as by reading`() async throws {
    let log = try await Self.filled()
    let bounds = try log.bounds(of: Self.partition)
    var whole = Copies()
    #expect(
      try log.read(Self.partition, from: .zero, bytesMax: .max, into: &whole) == bounds.end)
    for offset in [0, 1, 7, 9000, 18_011, bounds.end.rawValue - 1, bounds.end.rawValue] {
      var ahead = Copies()
      var places = [Offset(offset)]
      let reached = try log.readAhead(
        Self.partition, from: Offset(offset), to: bounds.end, into: &ahead
      ) { _, read in
        #expect(read.lowerBound == places.last)
        places.append(read.upperBound)
        return true
      }
      #expect(reached == bounds.end)
      #expect(places.last == bounds.end)
      #expect(ahead.records == whole.records.filter { $0.offset.rawValue >= offset })
      if offset == 0 { #expect(ahead.nexts == whole.nexts) }
    }
  }

  /// One batch of a record after another. Of 300 KiB each is more than the bytes of a piece, so that it is one.
  private static func log(of count: Int, size: Int = 300 * kibibyte) async throws -> WatchedLog {
    let log = WatchedLog()
    for number in 0..<count {
      let value = [UInt8](repeating: 0, count: size)
      let record = NewRecord(key: Array("\(number)".utf8), value: value)
      _ = try await log.append(AppendBatch([record], timestamp: 0), to: partition)
    }
    return log
  }

  @Test func `no more than eight pieces are read ahead of a sink that takes its time`() async throws
  {
    let log = try await Self.log(of: 100)
    var sink = SlowSink(log: log)
    try log.readAhead(Self.partition, from: .zero, to: Offset(100), into: &sink) { _, _ in true
    }
    #expect(sink.taken == 100)
    // Of the piece that is taken nothing is counted as taken yet, and one is on its way into the next.
    #expect(sink.most > 1)
    #expect(sink.most <= 10)
  }

  @Test func `who has enough stops the reading, and nothing is read any more`() async throws {
    let log = try await Self.log(of: 100)
    var sink = Copies()
    let reached = try log.readAhead(Self.partition, from: .zero, to: Offset(100), into: &sink) {
      $0.records.count < 3 || $1.upperBound < Offset(3)
    }
    #expect(reached == Offset(3))
    #expect(sink.records.count == 3)
    let read = log.lent
    pause(for: .milliseconds(20))
    #expect(log.lent == read)
  }

  @Test func `of huge batches few are ready`() async throws {
    let log = try await Self.log(of: 12, size: 3 << 20)
    var sink = SlowSink(log: log)
    try log.readAhead(Self.partition, from: .zero, to: Offset(12), into: &sink) { _, _ in true }
    #expect(sink.taken == 12)
    #expect(sink.most <= 3)
  }

  @Test(arguments: [1, 300 * kibibyte])
  func `nothing is read beyond the end, not even damage`(_ size: Int) async throws {
    let log = try await Self.log(of: 30, size: size)
    log.fail(at: Offset(21))
    var sink = Copies()
    var places: [Offset] = []
    let reached = try log.readAhead(
      Self.partition, from: .zero, to: Offset(20), into: &sink
    ) { _, read in
      places.append(read.upperBound)
      return true
    }
    #expect(reached == Offset(20))
    #expect(places.last == Offset(20))
    #expect(sink.records.map(\.offset) == (0..<20).map { Offset($0) })
  }

  /// Of large batches each is a piece, of small ones those that are lent before the failure are one.
  @Test(arguments: [1, 300 * kibibyte])
  func `a failure comes after everything before it`(_ size: Int) async throws {
    let log = try await Self.log(of: 30, size: size)
    log.fail(at: Offset(20))
    var sink = Copies()
    #expect(throws: LogError.corrupt(Self.partition, at: Offset(20), detail: "planted")) {
      try log.readAhead(Self.partition, from: .zero, to: Offset(30), into: &sink) { _, _ in true }
    }
    #expect(sink.records.map(\.offset) == (0..<20).map { Offset($0) })
  }

  @Test func `what the sink's owner throws ends the reading too`() async throws {
    struct Enough: Error {}
    let log = try await Self.log(of: 30)
    var sink = Copies()
    #expect(throws: Enough.self) {
      try log.readAhead(Self.partition, from: .zero, to: Offset(30), into: &sink) { _, _ in
        throw Enough()
      }
    }
    #expect(sink.records.count == 1)
  }
}

private struct Copies: RecordSink {
  struct Record: Equatable {
    var offset: Offset
    var timestamp: Int64
    var key: [UInt8]
    /// Length and first byte, or nil for a tombstone.
    var value: [Int]?
  }

  private(set) var records: [Record] = []
  private(set) var nexts: [Offset] = []

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices {
      let row = rows[index]
      bytes.withUnsafeBytes { bytes in
        let value =
          row.isTombstone ? nil : [row.value.count, bytes[row.value].first.map(Int.init) ?? -1]
        records.append(
          Record(
            offset: row.offset, timestamp: row.timestamp, key: Array(bytes[row.key]), value: value))
      }
    }
    nexts.append(next)
  }
}

/// A log in memory that counts what it lends, three batches at a time, and fails where it is told: behind those that it lends before.
private final class WatchedLog: ForwardingLog {
  let base = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
  private let state = Monitor((lent: 0, failure: Offset?.none))

  /// Records.
  var lent: Int { state.withLock { $0.lent } }

  func fail(at offset: Offset) { state.withLock { $0.failure = offset } }

  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    var position = offset
    for _ in 0..<3 {
      if state.withLock({ $0.failure == position }) {
        throw .corrupt(partition, at: position, detail: "planted")
      }
      let next = try base.read(partition, from: position, bytesMax: 1, into: &sink)
      state.withLock { $0.lent += Int(next.rawValue - position.rawValue) }
      position = next
    }
    return position
  }
}

/// Looks how far the reading is ahead of it.
private struct SlowSink: RecordSink {
  let log: WatchedLog
  private(set) var taken = 0
  private(set) var most = 0

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    pause(for: .milliseconds(2))
    most = max(most, log.lent - taken)
    taken += rows.count
  }
}
