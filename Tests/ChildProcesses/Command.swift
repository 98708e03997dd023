import Foundation

/// A program that was run to its end, and what it said.
package struct Command: Sendable {
  package let status: Int32
  package let output: String
  package let error: String

  /// Runs a program that has a path, or is found in `PATH`.
  ///
  /// One that has not ended in time is aborted, so that it can say where it stands, as Python does under `-X faulthandler`; then it
  /// is killed with all that it has started, and its status is not 0.
  package init(
    _ program: String, _ arguments: [String], input: String = "",
    environment: [String: String] = [:],
    within limit: Duration = .seconds(60)
  ) throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("signalbox-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let names = ["input", "output", "error"].map { folder.appendingPathComponent($0) }
    for (name, text) in zip(names, [input, "", ""]) { try Data(text.utf8).write(to: name) }
    let child = try ChildProcess(
      program, arguments, input: names[0].path, output: names[1].path, errors: names[2].path,
      environment: environment)
    var verdict = ""
    if child.wait(limit) == nil {
      verdict = "not within \(limit)\n"
      child.signal(SIGABRT)
      child.wait(.seconds(5))
      child.endGroup()
      child.wait(.seconds(30))
    }
    status = child.status ?? -1
    output = try String(decoding: Data(contentsOf: names[1]), as: UTF8.self)
    error = try verdict + String(decoding: Data(contentsOf: names[2]), as: UTF8.self)
  }
}
