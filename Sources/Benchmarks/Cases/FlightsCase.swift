import EventStorage
import Events
import Foundation
import SegmentStorage

extension BenchmarkCase {
  /// Starting on a year of real departures: from the log alone, and from a snapshot.
  static let flights = BenchmarkCase(
    name: "flights", about: "start on a year of departures, from the log alone and from a snapshot"
  ) { run in
    let found = try FlightRecording.find(run)
    let recording = found.file
    if run.size == .full, !found.isYear { run.report(FlightRecording.missing) }
    let folder = run.folder + "/log"
    run.progress("flights: a log of \(recording.path)")
    let records = try await fill(folder, from: recording)
    let rounds = run.size.of(smoke: 1, full: 5)

    var fromLog: [Double] = []
    for _ in 0..<rounds {
      try? FileManager.default.removeItem(atPath: folder + "/snapshots")
      let start = try StartedServer(run, folder)
      fromLog.append(start.milliseconds)
      start.end()
    }
    let evidence = "\(records) records of \(recording.name)"
    run.report(
      BenchmarkRow(
        "start, whole log", Quantity(median(fromLog), "ms"),
        evidence: evidence))

    let storing = try StartedServer(run, folder, options: ["--snapshot-seconds", "1"])
    let deadline = wallSeconds() + 15
    while snapshots(in: folder) == 0, wallSeconds() < deadline { usleep(20_000) }
    storing.end()
    guard snapshots(in: folder) > 0 else {
      throw BenchmarkFailure("no snapshot was stored in \(folder)/snapshots within 15 s")
    }
    var fromSnapshot: [Double] = []
    for _ in 0..<rounds {
      let start = try StartedServer(run, folder)
      fromSnapshot.append(start.milliseconds)
      start.end()
    }
    let milliseconds = median(fromSnapshot)
    run.report(
      BenchmarkRow(
        "start, snapshot", Quantity(milliseconds, "ms"), against: "a limit of",
        Quantity(300, "ms"), ratio: milliseconds / 300, target: found.isYear ? .atMost(1) : nil,
        evidence: "\(evidence), \(snapshots(in: folder)) snapshots, exec to /readyz 200"))
  }
}

/// A server, and how long it took from its start to `/readyz`.
private struct StartedServer {
  let milliseconds: Double
  private let server: SignalboxServer

  init(_ run: BenchmarkRun, _ folder: String, options: [String] = []) throws {
    let start = wallSeconds()
    server = try SignalboxServer(run, folder: folder, options: options)
    while httpGet("/readyz", port: server.port) != 200 {
      guard wallSeconds() < start + 60 else { throw BenchmarkFailure("/readyz is never 200") }
      usleep(1000)
    }
    milliseconds = (wallSeconds() - start) * 1000
  }

  func end() { server.process.end() }
}

private func snapshots(in folder: String) -> Int {
  let names = try? FileManager.default.contentsOfDirectory(atPath: folder + "/snapshots")
  return names?.count { $0.hasSuffix(".snapshot") } ?? 0
}

/// Appends a recording to a new log, every record to the partition of its channel.
private func fill(_ folder: String, from recording: RecordingFile) async throws -> Int {
  var options = SegmentedLog.Options()
  options.maintenanceInterval = nil
  let log = try SegmentedLog(opening: folder, options: options)
  defer { log.close() }
  var cursor = try recording.makeCursor()
  var total = 0
  var collector = RecordCollector()
  while try cursor.next(into: &collector) {
    var batches: [Partition: [NewRecord]] = [:]
    for record in collector.records {
      guard let (channel, _) = EventKey.message(bytes: record.key) else { continue }
      let index = Slot(channel: channel).partition(of: log.layout.partitions)
      batches[Partition(.messages, index), default: []].append(record)
    }
    for (partition, records) in batches {
      _ = try await log.append(
        AppendBatch(records, timestamp: collector.newest), to: partition)
    }
    total += collector.records.count
    collector.records = []
  }
  return total
}

/// Keeps records, because appending wants to own them.
private struct RecordCollector: RecordSink {
  var records: [NewRecord] = []
  var newest: Int64 = 0

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices {
      let row = rows[index]
      newest = max(newest, row.timestamp)
      let value = row.isTombstone ? nil : copy(row.value, bytes)
      records.append(NewRecord(key: copy(row.key, bytes), value: value))
    }
  }

  private func copy(_ range: Range<Int>, _ bytes: RawSpan) -> [UInt8] {
    bytes.extracting(range).withUnsafeBytes { Array($0) }
  }
}
