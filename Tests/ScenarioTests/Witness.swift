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
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("witness/\(script)").path
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      [python, path, signalbox, folder.appendingPathComponent("data").path] + arguments
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

  /// The first of these programs that is installed.
  static func installed(_ names: String...) -> String? {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    return names.lazy.flatMap { name in folders.map { "\($0)/\(name)" } }
      .first(where: FileManager.default.isExecutableFile(atPath:))
  }
}
