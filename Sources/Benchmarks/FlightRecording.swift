import Foundation
import SegmentStorage

/// Where the recorded departures come from.
enum FlightRecording {
  /// The year where it can be had, made by `record.py` the first time; January, which is committed, otherwise and for a smoke run.
  static func find(_ run: BenchmarkRun) throws -> RecordingFile {
    let january = run.recordings + "/january.log"
    guard run.size == .full else { return try RecordingFile(opening: january) }
    let year = run.recordings + "/.cache/year.log"
    if !FileManager.default.fileExists(atPath: year) {
      run.progress("flights: recording the year 2013")
      guard record(run, ".cache/year") else { return try RecordingFile(opening: january) }
    }
    return try RecordingFile(opening: year)
  }

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
