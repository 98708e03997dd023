import ChildProcesses
import Foundation
import Testing

/// Runs a program that is not ours against the real `signalbox`, in a folder of its own.
enum Witness {

  /// The built program under test, beside the tests.
  static let signalbox = Bundle.main.bundleURL.appendingPathComponent("signalbox").path

  static let python = ProcessInfo.processInfo.environment["SIGNALBOX_PYTHON"] ?? "python3"

  /// What the slowest takes on a loaded machine, several times over.
  private static let limit = Duration.seconds(600)

  /// Runs `witness/SCRIPT BINARY FOLDER ARGUMENTS…` and fails the test with what it printed unless it ends with 0 in time.
  static func run(_ script: String, _ arguments: String...) throws -> String {
    let command = try command(script, with: [signalbox, nil] + arguments)
    let text = command.output + command.error
    #expect(command.status == 0, "\(script): \(text)")
    return text
  }

  /// Whether a program may be run under strace here, and its calls made to fail.
  static let canTrace = (try? probes("traced.py")) == true

  /// Whether a file system can be mounted on a loop device here, and cut off.
  static let canCutPower = (try? probes("powercut.py")) == true

  /// True when `witness/SCRIPT probe FOLDER` ends with 0.
  private static func probes(_ script: String) throws -> Bool {
    try command(script, with: ["probe", nil]).status == 0
  }

  /// Runs a script, with a folder of its own where an argument is nil.
  private static func command(_ script: String, with arguments: [String?]) throws -> Command {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("signalbox-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("witness/\(script)").path
    let data = folder.appendingPathComponent("data").path
    return try Command(
      python, ["-X", "faulthandler", path] + arguments.map { $0 ?? data }, within: limit)
  }

  /// The first of these programs that is installed.
  static func installed(_ names: String...) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
      .first(where: FileManager.default.isExecutableFile(atPath:))
  }
}
