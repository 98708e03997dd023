import EventStorage
import Foundation
import Gateway
import SegmentStorage

/// Plays a recording into a fresh log and serves the boards page.
package struct Demo: Sendable {
  private let settings: Settings
  private let recording: RecordingFile
  private let speed: Double
  private let start: Int64
  private let temporaryFolder: String?

  /// - Parameters:
  ///   - settings: with a log that must be empty; in `temporaryFolder` when nobody chose one.
  ///   - speed: seconds of the recording in a second.
  ///   - start: where playing starts, in milliseconds since 1970; nil for a busy morning, or for the recording's beginning when that
  ///     is not in it.
  package init(
    settings: Settings, recording path: String, speed: Double, start: Int64?,
    temporaryFolder: String?
  ) throws {
    self.settings = settings
    self.speed = speed
    self.temporaryFolder = temporaryFolder
    recording = try RecordingFile(opening: path)
    let span = recording.manifest.firstTimeMs...recording.manifest.lastTimeMs
    guard let found = Demo.place(start, in: span) else {
      throw SettingsFailure(
        description: "the recording \(path) goes from \(localTime(span.lowerBound)) to "
          + "\(localTime(span.upperBound)) in New York; \(localTime(start ?? 0)) is not in it")
    }
    self.start = found
  }

  /// Tuesday, 15 January 2013, 6:00 in New York.
  private static let busyMorning: Int64 = 1_358_247_600_000

  /// Where to start. Times are told to the minute, in which the recording may begin.
  static func place(_ wanted: Int64?, in span: ClosedRange<Int64>) -> Int64? {
    guard let wanted else {
      return span.contains(busyMorning) ? busyMorning : span.lowerBound
    }
    guard span.lowerBound - wanted < 60_000, wanted <= span.upperBound else { return nil }
    return max(wanted, span.lowerBound)
  }

  package func run(listening: @escaping @Sendable (Instance.Address) -> Void) async throws {
    defer {
      if let temporaryFolder { try? FileManager.default.removeItem(atPath: temporaryFolder) }
    }
    let page = StaticPage(
      contentType: "text/html; charset=utf-8", bytes: PackageResources.boards_html)
    try await Instance(settings: settings, pages: ["/": page]).run(
      beside: { log, logger in
        for partition in log.layout.partitions(of: .messages)
        where try log.bounds(of: partition).end > .zero {
          throw SettingsFailure(
            description:
              "the log holds messages already; the demo plays into a fresh one: name another")
        }
        return [
          Player(
            log: log, recording: recording, speed: speed, start: start, logger: logger,
            now: wallClock)
        ]
      }, listening: listening)
  }
}
