import ChildProcesses
import Foundation
import Testing

/// Law 1 across builds: what is folded and what is simulated is the same in debug and in release.
@Suite struct ReleaseTests {
  /// `make test` builds it and names it here.
  private static let release = ProcessInfo.processInfo.environment["SIGNALBOX_RELEASE"]

  private static let january = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../replay/nyc-departures/january").path

  /// What both builds say of the same.
  private func same(_ arguments: [String]) throws -> String {
    let release = try #require(ReleaseTests.release)
    let outputs = try [Witness.signalbox, release].map { program in
      let command = try Command(program, arguments, within: .seconds(300))
      #expect(command.status == 0, "\(program): \(command.error)")
      return try ReleaseTests.withoutTimes(command.output)
    }
    #expect(outputs[0] == outputs[1], "\(arguments): debug, then release")
    return outputs[0]
  }

  /// The JSON without what a clock has measured.
  private static func withoutTimes(_ output: String) throws -> String {
    var value = try JSONSerialization.jsonObject(with: Data(output.utf8))
    if var object = value as? [String: Any] {
      object["realMicroseconds"] = nil
      object["ratio"] = nil
      value = object
    }
    let data = try JSONSerialization.data(withJSONObject: value, options: .sortedKeys)
    return String(decoding: data, as: UTF8.self)
  }

  @Test(
    .enabled(if: release != nil, "SIGNALBOX_RELEASE names no release build: use make test"),
    arguments: ["2013-01-07T13:30:00Z", "2013-01-20T03:00:00Z", "2014-01-01T00:00:00Z"])
  func `the recording folds to the same in debug and in release`(until: String) throws {
    let said = try same(
      ["replay", "--log", "recording:\(ReleaseTests.january)", "--until", until, "--json"])
    #expect(said.contains("digest"))
  }

  @Test(
    .enabled(if: release != nil, "SIGNALBOX_RELEASE names no release build: use make test"),
    arguments: [0, 2013, 77_777])
  func `worlds have the same trace in debug and in release`(seed: Int) throws {
    let said = try same(
      ["simulate", "--json", "--seed", "\(seed)", "--runs", "10", "--steps", "500"])
    #expect(said.contains("traceHash"))
  }
}
