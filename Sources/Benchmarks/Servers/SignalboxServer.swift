import Foundation

/// A real `signalbox serve` on a free port, its log in a folder of the case.
struct SignalboxServer {
  let process: ChildProcess
  let port: UInt16

  init(_ run: BenchmarkRun, folder: String, options: [String] = []) throws {
    process = try ChildProcess(
      run.program,
      [
        "serve", "--log", "file:\(folder)", "--host", "127.0.0.1", "--port", "0", "--json",
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
