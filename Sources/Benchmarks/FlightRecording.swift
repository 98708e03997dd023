import Foundation
import SegmentStorage

/// Where the recorded departures come from.
struct FlightRecording {
  let file: RecordingFile
  /// Whether it is what the goal is about.
  let isYear: Bool

  /// The year where it can be had, made by `record.py` the first time; January, which is committed, otherwise and for a smoke run.
  static func find(_ run: BenchmarkRun) throws -> FlightRecording {
    let january = run.recordings + "/january.log"
    let year = run.recordings + "/.cache/year"
    if run.size == .full {
      let isThere = {
        [".log", ".json"].allSatisfy { FileManager.default.fileExists(atPath: year + $0) }
      }
      if !isThere() {
        run.progress("flights: recording the year 2013")
        _ = record(run, ".cache/year")
      }
      if isThere() {
        return FlightRecording(file: try RecordingFile(opening: year + ".log"), isYear: true)
      }
    }
    return FlightRecording(file: try RecordingFile(opening: january), isYear: false)
  }

  /// What is said where the year could not be had: the figures of January must not pass for it.
  static let missing = BenchmarkRow(
    "start, year of flights", nil, evidence: "January, which is a twelfth of it, instead",
    missing: "not measured: record.py in replay/nyc-departures could not make the year")

  private static func record(_ run: BenchmarkRun, _ out: String) -> Bool {
    let python = ProcessInfo.processInfo.environment["SIGNALBOX_PYTHON"] ?? "python3"
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.currentDirectoryURL = URL(fileURLWithPath: run.recordings)
    process.arguments = [
      python, "record.py", "--from", "2013-01-01", "--to", "2014-01-01", "--out", out,
    ]
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }
}

extension RecordingFile {
  /// The name without its folder.
  var name: String { String(path.split(separator: "/").last ?? "") }
}
