import Foundation

/// A real `signalbox serve` on a free port.
struct SignalboxServer {
  let process: ChildProcess
  let port: UInt16

  /// Its log is in a folder of the case.
  init(_ run: BenchmarkRun, folder: String, options: [String] = []) throws {
    try self.init(run, log: "file:\(folder)", notes: folder, options: options)
  }

  /// - Parameter notes: what the file begins with that takes what it says on standard error.
  init(_ run: BenchmarkRun, log: String, notes folder: String, options: [String] = []) throws {
    process = try ChildProcess(
      run.program,
      [
        "serve", "--log", log, "--host", "127.0.0.1", "--port", "0", "--json",
        "--log-level", "warning",
      ] + options, errors: folder + ".stderr")
    let line: String
    do {
      line = try process.line(within: 60)
    } catch {
      throw BenchmarkFailure(
        "signalbox serve: \(error): \(Benchmarks.contents(ofFile: folder + ".stderr"))")
    }
    let object = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    guard let port = object?["port"] as? Int, let port = UInt16(exactly: port) else {
      throw BenchmarkFailure("signalbox serve named no port: \(line)")
    }
    self.port = port
  }
}
