import Foundation
import Testing

/// Runs a program that is not ours against the real `signalbox`, in a folder of its own.
enum Witness {

  /// The built program under test, beside the tests.
  static let signalbox = Bundle.main.bundleURL.appendingPathComponent("signalbox").path

  static let python = ProcessInfo.processInfo.environment["SIGNALBOX_PYTHON"] ?? "python3"

  /// Runs `witness/SCRIPT BINARY FOLDER ARGUMENTS…` and fails the test with what it printed unless it ends with 0.
  static func run(_ script: String, _ arguments: String...) throws -> String {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("signalbox-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let process = process(
      script, [signalbox, folder.appendingPathComponent("data").path] + arguments)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = output
    try process.run()
    let text = String(
      decoding: try output.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0, "\(script): \(text)")
    return text
  }

  /// Whether a program may be run under strace here, and its calls made to fail.
  static let canTrace = (try? probes("traced.py")) == true

  /// Whether a file system can be mounted on a loop device here, and cut off.
  static let canCutPower = (try? probes("powercut.py")) == true

  /// True when `witness/SCRIPT probe FOLDER` ends with 0.
  private static func probes(_ script: String) throws -> Bool {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("signalbox-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let process = process(script, ["probe", folder.path])
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus == 0
  }

  private static func process(_ script: String, _ arguments: [String]) -> Process {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("witness/\(script)").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [python, path] + arguments
    return process
  }

  /// The first of these programs that is installed.
  static func installed(_ names: String...) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
      .first(where: FileManager.default.isExecutableFile(atPath:))
  }
}
