internal import FoundationEssentials

/// What stands beside a recording, in a JSON file of the same name: how to know that it is whole. Other fields are left alone.
package struct RecordingManifest: Codable, Equatable, Sendable {
  static let bytesMax = 64 << 10

  package var records: Int
  package var tombstones: Int
  package var bytes: Int
  /// Of the whole file, in hexadecimal.
  package var sha256: String
  package var firstTimeMs: Int64
  package var lastTimeMs: Int64

  /// `a.log` has its manifest in `a.json`.
  static func path(for recording: String) -> String {
    recording.hasSuffix(".log") ? recording.dropLast(4) + ".json" : recording + ".json"
  }

  static func decode(_ bytes: [UInt8]) -> RecordingManifest? {
    try? JSONDecoder().decode(RecordingManifest.self, from: Data(bytes))
  }

  func encoded() -> [UInt8] {
    Array(
      """
      {
        "records": \(records),
        "tombstones": \(tombstones),
        "bytes": \(bytes),
        "sha256": "\(sha256)",
        "firstTimeMs": \(firstTimeMs),
        "lastTimeMs": \(lastTimeMs)
      }

      """.utf8)
  }
}
