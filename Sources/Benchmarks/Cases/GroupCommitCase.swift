import EventStorage
import SegmentStorage

extension BenchmarkCase {
  /// Many writers share a sync; one writer waits for little more than a sync.
  static let groupCommit = BenchmarkCase(
    name: "group-commit", about: "256 writers at once beside one, and one beside a bare fdatasync"
  ) { run in
    var options = SegmentedLog.Options()
    options.partitions = 1
    options.maintenanceInterval = nil
    let log = try SegmentedLog(opening: run.folder + "/log", options: options)
    defer { log.close() }
    var events = SyntheticEvents(seed: 2, channels: 100_000)
    let input = (0..<4096).map { _ in events.messages(1) }
    _ = try await write(to: log, input, writers: 1, seconds: 0.05)

    let seconds = run.size.of(smoke: 0.2, full: 3.0)
    var alone = WriterTotals()
    var together = WriterTotals()
    var bare: [Double] = []
    var preallocated: [Double] = []
    for _ in 0..<run.size.of(smoke: 1, full: 3) {
      alone.add(try await write(to: log, input, writers: 1, seconds: seconds))
      together.add(try await write(to: log, input, writers: 256, seconds: seconds))
      let pieces = [[UInt8]](
        repeating: [UInt8](repeating: 1, count: 250), count: run.size.of(smoke: 50, full: 3000))
      let file = run.folder + "/bare"
      bare.append(
        try BareWrites.run(pieces, file: file, preallocated: false).latencies.milliseconds(0.5))
      preallocated.append(
        try BareWrites.run(pieces, file: file, preallocated: true).latencies.milliseconds(0.5))
    }
    let end = try log.bounds(of: Partition(.messages, 0)).end
    run.report(
      BenchmarkRow(
        "group commit, 256 writers", Quantity(together.rate, "events/s"), against: "one writer",
        Quantity(alone.rate, "events/s"), ratio: together.rate / alone.rate, target: .atLeast(50),
        evidence: "end \(end); 256: \(together.latencies.text); one: \(alone.latencies.text)"))
    let p50 = alone.latencies.milliseconds(0.5)
    for (name, floor) in [
      ("bare write + fdatasync", median(bare)), ("the same, preallocated", median(preallocated)),
    ] {
      run.report(
        BenchmarkRow(
          "one writer, p50", Quantity(p50 * 1000, "µs"), against: name,
          Quantity(floor * 1000, "µs"), ratio: p50 / floor, target: .atMost(1.5),
          evidence: "\(alone.latencies.nanoseconds.count) appends"))
    }
  }
}

/// Writers that append one record, wait until it is durable, and append the next.
private func write(
  to log: SegmentedLog, _ input: [AppendBatch], writers: Int, seconds: Double
) async throws -> WriterTotals {
  let partition = Partition(.messages, 0)
  let start = wallNanoseconds()
  let end = start + UInt64(seconds * 1e9)
  return try await withThrowingTaskGroup(of: Latencies.self) { group in
    for writer in 0..<writers {
      group.addTask {
        var latencies = Latencies()
        var index = writer
        var now = wallNanoseconds()
        while now < end {
          _ = try await log.append(input[index % input.count], to: partition)
          let done = wallNanoseconds()
          latencies.add(done - now)
          now = done
          index += writers
        }
        return latencies
      }
    }
    var all = WriterTotals()
    for try await latencies in group { all.latencies.add(latencies) }
    all.rates = [
      Double(all.latencies.nanoseconds.count) / (Double(wallNanoseconds() - start) / 1e9)
    ]
    return all
  }
}

private struct WriterTotals {
  var rates: [Double] = []
  var latencies = Latencies()

  var rate: Double { median(rates) }

  mutating func add(_ other: WriterTotals) {
    rates += other.rates
    latencies.add(other.latencies)
  }
}
