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
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Program.path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    let (standardInput, standardOutput, standardError) = (Pipe(), Pipe(), Pipe())
    process.standardInput = standardInput
    process.standardOutput = standardOutput
    process.standardError = standardError
    try process.run()
    // A command that does not end must fail its test, not stop all others.
    let overdue = DispatchWorkItem { process.terminate() }
    DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: overdue)
    defer { overdue.cancel() }
    try standardInput.fileHandleForWriting.write(contentsOf: Data(input.utf8))
    try standardInput.fileHandleForWriting.close()
    // What a command says on standard error fits into a pipe: it is one line.
    output = try Program.text(of: standardOutput)
    error = try Program.text(of: standardError)
    process.waitUntilExit()
    status = process.terminationStatus
  }

  private static func text(of pipe: Pipe) throws -> String {
    String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
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
