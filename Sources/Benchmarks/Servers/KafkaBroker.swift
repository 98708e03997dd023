import Foundation
import Glibc

/// A Kafka broker in a folder of the case: noida-db.
struct KafkaBroker {
  static let missing = "not measured: install PyPI noida-db"
  /// Names the program where it does not lie with the Python that the Makefile uses.
  static let variable = "SIGNALBOX_BENCH_BROKER"

  let process: ChildProcess
  let port: UInt16

  var address: String { "127.0.0.1:\(port)" }

  /// The program, or nil where there is none. It lies inside the Python package; the script beside Python only starts it, under a
  /// process id of its own.
  static func program() -> String? {
    if let named = getenv(variable) { return String(cString: named) }
    guard let python = getenv("SIGNALBOX_PYTHON") else { return nil }
    let libraries = URL(fileURLWithPath: String(cString: python)).deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("lib")
    let versions = (try? FileManager.default.contentsOfDirectory(atPath: libraries.path)) ?? []
    return versions.sorted()
      .map { libraries.appendingPathComponent("\($0)/site-packages/noida_db/noida-db").path }
      .first { access($0, X_OK) == 0 }
  }

  init(program: String, folder: String) throws {
    port = try Socket.freePort()
    process = try ChildProcess(
      program, ["start", "--only", "kafka", "--kafka-port", "\(port)", "--data-dir", folder],
      errors: folder + ".stderr")
    let deadline = wallSeconds() + 20
    while true {
      if let socket = try? Socket(connectedTo: port) {
        socket.close()
        return
      }
      guard wallSeconds() < deadline else {
        throw BenchmarkFailure("noida-db: \(contents(ofFile: folder + ".stderr"))")
      }
      usleep(10_000)
    }
  }
}
