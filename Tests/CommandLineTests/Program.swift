import ChildProcesses
import Foundation

/// Runs the built `signalbox` as a user would.
struct Program {
  let status: Int32
  let output: String
  let error: String

  static let path = Bundle.main.bundleURL.appendingPathComponent("signalbox").path

  init(_ arguments: String..., input: String = "", environment: [String: String] = [:]) throws {
    try self.init(arguments: arguments, input: input, environment: environment)
  }

  init(arguments: [String], input: String = "", environment: [String: String] = [:]) throws {
    let command = try Command(Program.path, arguments, input: input, environment: environment)
    (status, output, error) = (command.status, command.output, command.error)
  }
}

/// A folder for one test, removed with it.
final class Folder {
  let path = FileManager.default.temporaryDirectory
    .appendingPathComponent("signalbox-\(UUID().uuidString)").path

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
