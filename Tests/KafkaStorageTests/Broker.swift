import ChildProcesses
import EventStorage
import Foundation
import Glibc
import KafkaStorage
import Synchronization

/// A real broker in a folder of its own, on a free port of 127.0.0.1, ended by its process id.
///
/// It is noida-db, from the Python environment that `SIGNALBOX_PYTHON` names or that the install script makes; or the one that
/// `SIGNALBOX_TANSU` names.
final class Broker: Sendable {
  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  let port: Int
  let folder: URL
  private let process = Mutex<ChildProcess?>(nil)

  init() throws {
    port = try Broker.freePort()
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("signalbox-broker-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try start()
  }

  deinit {
    stop()
    try? FileManager.default.removeItem(at: folder)
  }

  var address: String { "127.0.0.1:\(port)" }

  /// Options for a log of its own on this broker.
  func options(_ change: (inout KafkaLog.Options) -> Void = { _ in }) -> KafkaLog.Options {
    var options = KafkaLog.Options(brokers: address)
    options.prefix = "test-\(UUID().uuidString.prefix(8).lowercased())"
    options.appendTimeout = .seconds(20)
    options.requestTimeout = .seconds(10)
    change(&options)
    return options
  }

  /// Starts the broker on what it has in its folder, and waits until it answers.
  func start() throws {
    guard let program = Broker.program else {
      throw Missing(description: "noida-db is not installed: run scripts/install.sh test")
    }
    let log = folder.appendingPathComponent("broker.log").path
    let url = "tcp://\(address)"
    let arguments =
      Broker.isTansu
      ? [
        "broker", "--listener-url", url, "--advertised-listener-url", url, "--storage-engine",
        "memory://tansu/",
      ]
      : [
        "start", "--only", "kafka", "--kafka-port", "\(port)", "--data-dir",
        folder.appendingPathComponent("data").path,
      ]
    let child = try ChildProcess(program, arguments, output: log)
    process.withLock { $0 = child }
    let deadline = ContinuousClock.now + .seconds(30)
    while !Broker.answers(port) {
      guard child.status == nil, .now < deadline else {
        throw Missing(description: "the broker does not answer; see \(log)")
      }
      usleep(20_000)
    }
  }

  /// Sends the broker a signal.
  func signal(_ number: Int32) {
    process.withLock { process in
      guard let process else { return }
      process.signal(number)
      // It stops a moment later, and may answer until then.
      while number == SIGSTOP, !Broker.hasStopped(process.pid) { usleep(1000) }
    }
  }

  /// Waits until everything acknowledged so far would survive the broker's sudden death: it saves what it has every second, when
  /// something came. What comes here is in a partition that no test looks at.
  func save(_ log: KafkaLog) async throws {
    let acknowledged = Date()
    let file = folder.appendingPathComponent("data/kafka.json").path
    _ = try await eventually {
      _ = try await log.append(batch("filler"), to: Partition(.deliveries, 1))
      let saved =
        try? FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date
      return (saved ?? .distantPast) > acknowledged
    }
  }

  private static func hasStopped(_ id: pid_t) -> Bool {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(id)/task")) ?? []
    return threads.allSatisfy { thread in
      let stat = try? String(contentsOfFile: "/proc/\(id)/task/\(thread)/stat", encoding: .utf8)
      return stat?.split(separator: ")").last?.hasPrefix(" T") ?? true
    }
  }

  /// Kills the broker and waits until it is gone.
  func stop() {
    process.withLock { process in
      process?.end()
      process = nil
    }
  }

  /// `SIGNALBOX_TANSU` names the program of another broker, which holds everything in memory.
  static let isTansu = ProcessInfo.processInfo.environment["SIGNALBOX_TANSU"] != nil

  private static let program: String? = {
    if let program = ProcessInfo.processInfo.environment["SIGNALBOX_TANSU"] { return program }
    let python =
      ProcessInfo.processInfo.environment["SIGNALBOX_PYTHON"] ?? ".cache/python/bin/python3"
    let script = """
      import noida_db, os
      print(os.path.join(os.path.dirname(noida_db.__file__), "noida-db"))
      """
    let path = try? run(python, ["-c", script]).trimmingCharacters(in: .whitespacesAndNewlines)
    guard let path, FileManager.default.isExecutableFile(atPath: path) else { return nil }
    return path
  }()

  /// Below the ports that the system gives to clients: none of those takes it before the broker does, and nobody who asks whether
  /// the broker is there is answered by himself.
  private static func freePort() throws -> Int {
    for _ in 0..<100 {
      let port = Int.random(in: 15_000..<32_000)
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = loopback(port)
      let code = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      if code == 0 { return port }
    }
    throw Missing(description: "no free port")
  }

  private static func answers(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port)
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  private static func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return address
  }
}

/// Runs a program to its end, and returns what it wrote.
@discardableResult
func run(_ program: String, _ arguments: [String], input: String = "") throws -> String {
  let command = try Command(program, arguments, input: input)
  guard command.status == 0 else {
    throw Broker.Missing(
      description: "\(program) ended with \(command.status): \(command.output)\(command.error)")
  }
  return command.output
}

/// The broker that most tests share: started with the first, ended with the process.
enum Shared {
  private static let state = Mutex<Broker?>(nil)

  static var broker: Broker {
    get throws {
      try state.withLock { state in
        if let broker = state { return broker }
        let broker = try Broker()
        state = broker
        atexit { Shared.end() }
        return broker
      }
    }
  }

  private static func end() { state.withLock { $0 = nil } }
}
