import ArgumentParser
import EventStorage
import Events
import Foundation
import Projections
import Runtime

struct Replay: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Fold a log up to a time or a position and print what it says.",
    discussion: """
      Without --channel it prints what each partition folds to, messages and topology, with a digest: equal logs \
      give equal digests on any machine. A served log can be replayed too: it is only read. What was replaced or deleted \
      is gone when the log has been compacted: a time or a position before that is refused.
      """)

  @Option(
    help:
      "file:FOLDER, kafka://HOST:PORT?prefix=NAME, or recording:FILE without its .log (default file:./data)."
  )
  var log: String?
  @OptionGroup var options: LogOptions
  @Option(help: "The last time to read: 2013-01-15T11:00:00Z, or milliseconds since 1970.")
  var until: String?
  @Option(help: "A position to stop at, as publish prints it; other partitions are read whole.")
  var position: String?
  @Option(help: "Print the messages of this channel.")
  var channel: String?
  @Flag(help: "Print one JSON object.")
  var json = false

  func run() async throws {
    let isTerminal = isatty(STDERR_FILENO) == 1
    var lastShown = Duration.zero
    let settings = try await options.settings(of: log)
    let replay = Runtime.Replay(
      of: settings.log, with: settings, until: try until.map(milliseconds),
      before: try position.map(place))
    let outcome = try replay.run {
      guard isTerminal, $0.elapsed - lastShown > .milliseconds(200) else { return }
      lastShown = $0.elapsed
      FileHandle.standardError.write(Data("\r\($0.text)   ".utf8))
    }
    if isTerminal, lastShown > .zero { FileHandle.standardError.write(Data("\r\u{1b}[K".utf8)) }
    if let channel {
      try printChannel(ChannelName(channel), outcome)
    } else {
      try printDigests(outcome)
    }
  }

  private func printDigests(_ outcome: Runtime.Replay.Outcome) throws {
    if json {
      try printJSON(FoldReport.all(outcome))
      return
    }
    for report in FoldReport.all(outcome) { printLine(report.text) }
    let seconds = outcome.elapsed / .seconds(1)
    let rate = Int(Double(outcome.records) / max(seconds, 1e-9))
    printLine("\(outcome.records) records in \(Int(seconds * 1000)) ms, \(rate) a second")
  }

  private func printChannel(_ channel: ChannelName, _ outcome: Runtime.Replay.Outcome) throws {
    let slot = Slot(channel: channel).partition(of: outcome.channels.count)
    let messages = outcome.channels[slot].state.messages(in: channel)
    for message in messages {
      let data = String(decoding: message.message.data, as: UTF8.self)
      if json {
        try printJSON(
          MessageReport(
            key: message.key, id: message.message.id, timeMs: message.time,
            contentType: message.message.contentType, data: data))
      } else {
        printLine("\(message.key)\t\(data)")
      }
    }
  }

  private func place(_ token: String) throws -> Position {
    do throws(TokenFailure) { return try Position(token: token) } catch {
      throw Failure("--position is no position (\(error)); pass one as it was printed")
    }
  }

  private func milliseconds(_ text: String) throws -> Int64 {
    if let number = Int64(text) { return number }
    guard let date = try? Date(text, strategy: .iso8601) else {
      throw Failure("--until is “\(text)”; write it as 2013-01-15T11:00:00Z or in milliseconds")
    }
    return Int64(date.timeIntervalSince1970 * 1000)
  }

  private func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    printLine(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}

private struct MessageReport: Encodable {
  var key: String
  var id: String
  var timeMs: Int64
  var contentType: String
  var data: String
}

extension Runtime.Replay.Progress {
  fileprivate var text: String { progressText(records: records, share: share, elapsed: elapsed) }
}
