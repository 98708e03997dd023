import ArgumentParser
import Foundation
import Runtime

struct Migrate: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Move an embedded log to Kafka, prove that both say the same, and seal the old one.",
    discussion: """
      Nobody may serve the old log meanwhile. When it ends with done, serve the new one; the old one can still be \
      replayed, and takes nothing any more. When anything goes wrong before that, the old log is as it was, \
      and the new one can be opened by nobody: delete its topics, or choose another prefix, and start again. Clients that \
      come back with a position in the old log are given the state, and told so.
      """)

  @Option(help: "The embedded log: file:FOLDER.")
  var from = "file:./data"
  @Option(help: "Where it goes: kafka://HOST:PORT?prefix=NAME; there must be no log yet.")
  var to: String
  @Option(help: "Copies of the topics; with 3, two at least have what is acknowledged.")
  var replicationFactor: String?
  @OptionGroup var options: LogOptions
  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    var changes: [String: String] = [:]
    if let replicationFactor { changes["replication-factor"] = replicationFactor }
    let migration = try await Migration(
      from: try LogURL(from), to: options.settings(of: to, over: changes))
    let isTerminal = isatty(STDERR_FILENO) == 1
    var lastShown = Duration.zero
    let outcome = try migration.run {
      guard isTerminal, $0.elapsed - lastShown > .milliseconds(200) else { return }
      lastShown = $0.elapsed
      FileHandle.standardError.write(Data("\r\($0.text)   ".utf8))
    }
    if isTerminal, lastShown > .zero { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
    if json {
      let digests = outcome.digests.map { Report.Digest(place: $0.place, digest: $0.digest) }
      let report = Report(
        records: outcome.records, wasMoved: outcome.wasMoved, digests: digests,
        milliseconds: Int(outcome.elapsed / .milliseconds(1)))
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      printLine(String(decoding: try encoder.encode(report), as: UTF8.self))
      return
    }
    if outcome.wasMoved {
      printLine("done: it had been moved, and can be opened now")
      return
    }
    for (place, digest) in outcome.digests { printLine("\(place)  \(digest)  in both") }
    printLine(
      "done: \(outcome.records) records in \(Int(outcome.elapsed / .milliseconds(1))) ms; serve it with "
        + "--log '\(to)'")
  }
}

private struct Report: Encodable {
  struct Digest: Encodable {
    var place: String
    var digest: String
  }
  var records: Int
  var wasMoved: Bool
  var digests: [Digest]
  var milliseconds: Int
}

extension Migration.Progress {
  fileprivate var text: String { progressText(records: records, share: share, elapsed: elapsed) }
}
