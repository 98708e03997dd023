import EventStorage
import SegmentStorage

extension BenchmarkCase {
  /// Appending, every batch durable before the next.
  static let append = BenchmarkCase(
    name: "append",
    about: "append batches of 1, 100 and 1,000, each synced, beside bare writes and SQLite"
  ) { run in
    let counts = [(1, 1500), (100, 300), (1000, 120)]
    for (records, fullBatches) in counts {
      let batches = run.size.of(smoke: min(20, fullBatches), full: fullBatches)
      try await measureAppends(run, records: records, batches: batches, compression: nil)
    }
    // Compressing is most of what a large append costs, and a setting.
    let batches = run.size.of(smoke: 20, full: 120)
    try await measureAppends(run, records: 1000, batches: batches, compression: Compression.none)
  }
}

/// - Parameter compression: nil for the default.
private func measureAppends(
  _ run: BenchmarkRun, records: Int, batches: Int, compression: Compression?
) async throws {
  var events = SyntheticEvents(seed: 1, channels: 100_000)
  let input = (0..<batches).map { _ in events.messages(records) }
  // The same bytes for the bare writes: what the log itself makes of the input.
  let kind = compression == nil ? "\(records)" : "\(records)-plain"
  let (pieces, seconds) = try await appendToLog(
    input, folder: run.folder + "/sample-\(kind)", compression)
  guard pieces.count == batches else {
    throw BenchmarkFailure("\(batches) appends became \(pieces.count) batches")
  }
  run.progress("append: batches of \(records), the first \(batches) took \(seconds) s")

  var round = 0
  let results = try await medians(
    rounds: run.size.of(smoke: 1, full: 7),
    [
      {
        round += 1
        return try await appendToLog(
          input, folder: run.folder + "/log-\(kind)-\(round)", compression
        ).seconds
      },
      {
        try BareWrites.run(pieces, file: run.folder + "/bare", preallocated: false).seconds
      },
      {
        try BareWrites.run(pieces, file: run.folder + "/bare", preallocated: true).seconds
      },
      {
        let rows = try SQLiteEvents(run.folder + "/rows-\(kind)-\(round).sqlite")
        let start = wallSeconds()
        for batch in input { try rows.append(batch) }
        return wallSeconds() - start
      },
    ])
  let count = Double(records * batches)
  let rates = results.map { Quantity(count / $0, "events/s") }
  let bytes = pieces.reduce(0) { $0 + $1.count }
  let evidence = "\(batches) batches, \(bytes) bytes stored"
  let name = "append, batches of \(records)" + (compression == nil ? "" : ", compression none")
  let rivals: [(String, Target?)] = [
    ("bare write + fdatasync", .atLeast(0.8)),
    ("the same, preallocated", .atLeast(0.8)),
    ("SQLite, a row each", records == 1000 ? .atLeast(1.6) : nil),
  ]
  for (index, rival) in rivals.enumerated() {
    run.report(
      BenchmarkRow(
        name, rates[0], against: rival.0, rates[index + 1],
        ratio: rates[0].value / rates[index + 1].value, target: rival.1, evidence: evidence))
  }
}

/// Appends one batch after the other, then looks at what is stored.
private func appendToLog(
  _ input: [AppendBatch], folder: String, _ compression: Compression?
) async throws -> (pieces: [[UInt8]], seconds: Double) {
  var options = SegmentedLog.Options()
  options.partitions = 1
  options.compression = compression ?? options.compression
  options.maintenanceInterval = nil
  let log = try SegmentedLog(opening: folder, options: options)
  let partition = Partition(.messages, 0)
  // The first append makes the segment and the thread.
  _ = try await log.append(input[0], to: partition)
  let start = wallSeconds()
  for batch in input { _ = try await log.append(batch, to: partition) }
  let seconds = wallSeconds() - start
  log.close()
  var pieces: [[UInt8]] = []
  try StoredBatches(folder: folder + "/messages-0").forEach { pieces.append(Array($0)) }
  return (Array(pieces.dropFirst()), seconds)
}
