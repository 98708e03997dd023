import EventStorage
import Foundation
import SegmentStorage

extension BenchmarkCase {
  /// Folding a log, beside reading it and doing nothing, beside SQLite, and on two cores.
  static let replay = BenchmarkCase(
    name: "replay",
    about: "fold a log, beside read + CRC32C + LZ4 of the same file, SQLite, and one core"
  ) { run in
    let events = run.size.of(smoke: 20_000, full: 5_000_000)
    run.progress("replay: writing \(events) events")
    let folder = run.folder + "/log"
    let log = try await SyntheticLog.make(folder, events: events, partitions: 1)
    defer { log.close() }
    let partition = Partition(.messages, 0)
    let stored = try StoredBatches(folder: folder + "/messages-0")
    let rounds = run.size.of(smoke: 1, full: 5)

    var counted = RowCounter()
    var folded = ReplayState()
    var ahead = ReplayState()
    let nanoseconds = 1e9 / Double(events)
    let times = try await medians(
      rounds: rounds,
      [
        {
          folded = ReplayState()
          return try threadTime { try fold(log, partition, into: &folded) } * nanoseconds
        },
        {
          counted = RowCounter()
          return try threadTime { try fold(log, partition, into: &counted) } * nanoseconds
        },
        { try threadTime { _ = try stored.checkAndInflate() } * nanoseconds },
        {
          ahead = ReplayState()
          return try wallTime { try foldReadAhead(log, partition, into: &ahead) } * nanoseconds
        },
        { try wallTime { _ = try stored.checkAndInflate() } * nanoseconds },
      ])
    guard ahead.digest == folded.digest else {
      throw BenchmarkFailure("read ahead it folds to \(ahead.digest), else to \(folded.digest)")
    }
    let counters = try RuntimeCounters.count {
      var again = ReplayState()
      try fold(log, partition, into: &again)
    }
    let bytes = Quantity.figures(Double(stored.byteCount) / Double(events))
    run.report(
      BenchmarkRow(
        "replay", Quantity(times[0], "ns/event"), against: "read + CRC32C + LZ4",
        Quantity(times[2], "ns/event"), ratio: times[2] / times[0], target: .atLeast(0.5),
        evidence: "\(folded.events) events, \(bytes) B stored each, digest \(folded.digest)"))
    run.report(
      BenchmarkRow(
        "replay, read ahead on a second core", Quantity(times[3], "ns/event"),
        against: "read + CRC32C + LZ4 on one", Quantity(times[4], "ns/event"),
        ratio: times[4] / times[3], target: .atLeast(0.5),
        evidence: "time on the clock, the same digest"))
    run.report(
      BenchmarkRow(
        "reading into rows, no fold", Quantity(times[1], "ns/event"),
        against: "read + CRC32C + LZ4", Quantity(times[2], "ns/event"), ratio: times[2] / times[1],
        evidence: "\(counted.rows) events, digest \(counted.digest)"))
    run.report(overhead(counters, of: events))
    try await measureSQLite(run, events: events, ours: times[0], digest: folded.digest)
  }
}

/// None an event; a few for each batch of a thousand are what reading it takes.
private func overhead(_ counters: RuntimeCounters?, of events: Int) -> BenchmarkRow {
  let name = "replay, allocations and retains"
  guard let counters else {
    return BenchmarkRow(
      name, nil, evidence: "", missing: "not counted: this Swift runtime shows no hooks")
  }
  let limit = 0.01
  let each = Double(counters.allocations + counters.retains) / Double(events)
  return BenchmarkRow(
    name, Quantity(each, "an event"), against: "a limit of", Quantity(limit, "an event"),
    ratio: each / limit, target: .atMost(1), evidence: counters.text(per: events))
}

private func measureSQLite(
  _ run: BenchmarkRun, events: Int, ours: Double, digest: String
) async throws {
  run.progress("replay: writing \(events) events to SQLite")
  let rows = try SQLiteEvents(run.folder + "/rows.sqlite")
  try SyntheticLog.forEachBatch(events: events, seed: SyntheticLog.seed) { try rows.append($0) }
  try rows.checkpoint()
  var state = ReplayState()
  let times = try await medians(
    rounds: run.size.of(smoke: 1, full: 3),
    [
      {
        state = ReplayState()
        return try threadTime {
          try rows.read(batches: SyntheticLog.batchRecords, into: &state)
        } * 1e9 / Double(events)
      }
    ])
  guard state.digest == digest else {
    throw BenchmarkFailure("SQLite folds to \(state.digest), the log to \(digest)")
  }
  run.report(
    BenchmarkRow(
      "replay", Quantity(ours, "ns/event"), against: "SQLite, a row each",
      Quantity(times[0], "ns/event"), ratio: times[0] / ours, target: .atLeast(1.4),
      evidence: "the same digest"))
}

/// Reads a partition to its end.
func fold<Sink: RecordSink & ~Copyable>(
  _ log: SegmentedLog, _ partition: Partition, into sink: inout Sink
) throws {
  var position = Offset.zero
  let end = try log.bounds(of: partition).end
  while position < end {
    position = try log.read(partition, from: position, bytesMax: 4 << 20, into: &sink)
  }
}

/// The same, read on a thread of its own.
private func foldReadAhead<Sink: RecordSink & ~Copyable>(
  _ log: SegmentedLog, _ partition: Partition, into sink: inout Sink
) throws {
  let end = try log.bounds(of: partition).end
  try log.readAhead(partition, from: .zero, to: end, into: &sink) { _, _ in true }
}

/// Processor seconds that synchronous work took.
func threadTime(_ body: () throws -> Void) rethrows -> Double {
  let start = threadSeconds()
  try body()
  return threadSeconds() - start
}

/// Seconds on the clock that it took.
private func wallTime(_ body: () throws -> Void) rethrows -> Double {
  let start = wallSeconds()
  try body()
  return wallSeconds() - start
}

/// Looks at every row, and keeps nothing but two sums.
struct RowCounter: RecordSink {
  private(set) var rows = 0
  private var sum: UInt64 = 0

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    self.rows += rows.count
    for index in rows.indices {
      let row = rows[index]
      sum = sum &* 31 &+ UInt64(row.offset.rawValue) &+ UInt64(row.keyLength)
      sum = sum &* 31 &+ UInt64(max(0, row.valueLength))
    }
  }

  var digest: String { String(sum, radix: 16) }
}
