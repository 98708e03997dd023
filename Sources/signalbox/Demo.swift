import ArgumentParser
import Foundation
import Runtime

struct Demo: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Replay real departures into a fresh log and watch the boards at /.",
    discussion: """
      When no log is chosen it lies in a temporary folder and goes with the demo. Times are New York's. \
      Playing starts on a busy morning, 2013-01-15T06:00, or where a recording of another time begins.
      """)

  @Option(help: "The recording, without its .log.")
  var recording = "replay/nyc-departures/january"
  @Option(help: "Seconds of the recording in a second, 0.1 to 100000.")
  var speed = 60.0
  @Option(help: "Where to start, as YYYY-MM-DDTHH:MM in New York.")
  var from: String?
  @OptionGroup var instance: InstanceOptions
  @Flag(help: "Say where it listens as one JSON object on standard output.")
  var json = false

  func validate() throws {
    guard (0.1...100_000).contains(speed) else {
      throw ValidationError("--speed is \(speed); it must be from 0.1 to 100000")
    }
  }

  func run() async throws {
    var settings = try await instance.settings()
    var temporaryFolder: String?
    if !settings.isLogChosen {
      let folder = FileManager.default.temporaryDirectory
        .appendingPathComponent("signalbox-demo-\(ProcessInfo.processInfo.processIdentifier)").path
      settings.log = .file(path: folder)
      temporaryFolder = folder
    }
    let (json, speed) = (json, speed)
    try await Runtime.Demo(
      settings: settings, recording: recording + ".log", speed: speed, start: try from.map(start),
      temporaryFolder: temporaryFolder
    ).run { address in
      printLine(
        json
          ? address.json
          : "The boards are at \(address.url)/, \(speedText(speed)) times as fast; ^C ends")
    }
  }

  private func start(_ from: String) throws -> Int64 {
    let zone = TimeZone(identifier: "America/New_York") ?? .gmt
    let style = Date.ISO8601FormatStyle(timeZone: zone).year().month().day()
      .time(includingFractionalSeconds: false)
    guard let date = try? style.parse(from + ":00") else {
      throw Failure("--from is “\(from)”; write it as 2013-01-15T06:00")
    }
    return Int64(date.timeIntervalSince1970 * 1000)
  }
}
