import ArgumentParser
import Foundation
import Runtime

struct Doctor: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Examine a log: its topics, its settings and its newest records.",
    discussion: """
      Nothing is written. T1 to T15 are the traps of compacted topics. Exit codes: 0 nothing is refused, 1 the log cannot \
      be asked, 2 something is refused: records or deletions are or will be lost.
      """)

  @Option(
    help: "The log: kafka://HOST:PORT?prefix=NAME or file:FOLDER (default file:./data).")
  var log: String?
  @OptionGroup var options: LogOptions
  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    let doctor = try await Runtime.Doctor(options.settings(of: log))
    let found = try doctor.examine()
    if json {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let lines = found.map { Line(trap: $0.trap, outcome: $0.outcome.rawValue, text: $0.text) }
      printLine(String(decoding: try encoder.encode(lines), as: UTF8.self))
    } else {
      for one in found {
        let trap = one.trap.padding(toLength: 4, withPad: " ", startingAt: 0)
        let outcome = one.outcome.rawValue.padding(toLength: 10, withPad: " ", startingAt: 0)
        printLine("\(trap)\(outcome)\(one.text)")
      }
    }
    if found.contains(where: { $0.outcome == .refused }) { Foundation.exit(2) }
  }

  private struct Line: Encodable {
    var trap: String
    var outcome: String
    var text: String
  }
}
