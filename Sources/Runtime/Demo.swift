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
  ///   - settings: with the log `file:` of a folder that is to be new; `temporaryFolder` when nobody chose one.
  ///   - speed: seconds of the recording in a second.
  ///   - start: where playing starts, in milliseconds since 1970; nil for the recording's beginning.
  package init(
    settings: Settings, recording path: String, speed: Double, start: Int64?,
    temporaryFolder: String?
  ) throws {
    self.settings = settings
    self.speed = speed
    self.temporaryFolder = temporaryFolder
    recording = try RecordingFile(opening: path)
    let span = recording.manifest.firstTimeMs...recording.manifest.lastTimeMs
    self.start = start ?? span.lowerBound
    guard span.contains(self.start) else {
      throw SettingsFailure(
        description: "the recording \(path) goes from \(span.lowerBound) to \(span.upperBound)"
          + " (milliseconds since 1970); \(self.start) is not in it")
    }
    if case .file(let folder) = settings.log,
      FileManager.default.fileExists(atPath: folder + "/log.json")
    {
      throw SettingsFailure(
        description:
          "\(folder) holds a log already; the demo plays into a fresh one: name another folder")
    }
  }

  package func run(listening: @escaping @Sendable (Instance.Address) -> Void) async throws {
    defer {
      if let temporaryFolder { try? FileManager.default.removeItem(atPath: temporaryFolder) }
    }
    let page = StaticPage(
      contentType: "text/html; charset=utf-8", bytes: PackageResources.boards_html)
    try await Instance(settings: settings, pages: ["/": page]).run(
      beside: { log, logger in
        [
          Player(
            log: log, recording: recording, speed: speed, start: start, logger: logger,
            now: wallClock)
        ]
      }, listening: listening)
  }
}
