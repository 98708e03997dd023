import ChildProcesses
import Foundation
import Testing

/// `signalbox demo` obeys every setting, as `serve` does.
@Suite struct DemoTests {
  private static let january = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../replay/nyc-departures/january").path

  private func demo(_ before: String, _ arguments: String = "") throws -> Served {
    try Served(
      "sh",
      [
        "-c",
        "\(before) exec '\(Program.path)' demo --port 0 --json --recording '\(DemoTests.january)' \(arguments)",
      ])
  }

  @Test func `the log may be chosen in the environment, and must hold no messages`() throws {
    let folder = try Folder()
    let log = "file:\(folder.path)/log"
    let first = try demo("SIGNALBOX_LOG='\(log)'", "--speed 0.5")
    let isTold = try first.waits {
      try first.get("/v1/channels/clock").body.contains(#""speed":0.5"#)
    }
    #expect(isTold)
    #expect(first.end() == 0)
    #expect(FileManager.default.fileExists(atPath: folder.path + "/log/log.json"))
    let second = try Program(
      "demo", "--port", "0", "--recording", DemoTests.january,
      environment: ["SIGNALBOX_LOG": log])
    #expect(second.status == 1)
    #expect(second.error.contains("the log holds messages already"), "\(second.error)")
  }

  @Test func `the log may be chosen in a file`() throws {
    let folder = try Folder()
    let config = folder.path + "/signalbox.yaml"
    try "log: \"file:\(folder.path)/log\"".write(
      toFile: config, atomically: true, encoding: .utf8)
    let served = try demo("", "--config '\(config)'")
    #expect(served.end() == 0)
    #expect(FileManager.default.fileExists(atPath: folder.path + "/log/log.json"))
  }

  @Test func `a time that is not in the recording is said as times are written`() throws {
    let refused = try Program(
      "demo", "--recording", DemoTests.january, "--from", "2014-01-01T00:00")
    #expect(refused.status == 1)
    #expect(
      refused.error.contains("to 2013-02-")
        && refused.error.contains("2014-01-01T00:00 is not in it"),
      "\(refused.error)")
  }
}
