import Events
import Foundation
import Projections
import Testing

@testable import Runtime

/// The boards of the recording as another program computed them, from the source and not from events.
@Suite struct BoardsTests {
  struct Line: Codable, Equatable {
    var key: String?
    var flight: String
    var destination: String
    var carrier: String
    var carrierName: String?
    var scheduled: String
    var estimated: String?
    var status: String
  }

  struct Instant: Codable {
    var at: String
    var atMs: Int64
    var boards: [String: [Line]]
  }

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../replay/nyc-departures")
  static let january = LogURL.recording(path: folder.appendingPathComponent("january").path)

  @Test func `the boards at twenty instants are those that the source implies`() throws {
    let expected = try JSONDecoder().decode(
      [Instant].self,
      from: Data(contentsOf: BoardsTests.folder.appendingPathComponent("boards.json")))
    #expect(expected.count == 20)
    for instant in expected {
      let fold = try Replay(of: BoardsTests.january, until: instant.atMs).run { _ in }.channels[0]
      for (airport, board) in instant.boards {
        let lines = try fold.state.messages(in: ChannelName(airport)).map { message in
          var line = try JSONDecoder().decode(Line.self, from: Data(message.message.data))
          line.key = message.key
          return line
        }
        #expect(
          lines.sorted { $0.key ?? "" < $1.key ?? "" } == board, "\(airport) at \(instant.at)")
      }
    }
  }

  /// Law 1: the same in debug and in release, and on every machine.
  @Test(arguments: [
    (
      Int64(1_357_565_400_000),
      "ea0ab837ec12351bbdd314becfe1bd2e903ab3d68a92fbcd914fa33624821612"
    ),
    (Int64.max, "922593fba2a8c4407563b0a17f1d0026415f9dd9ed5faa2cf6d37035f109017d"),
  ])
  func `the recording folds to its golden digest`(until: Int64, digest: String) throws {
    let fold = try Replay(of: BoardsTests.january, until: until).run { _ in }.channels[0]
    #expect(fold.state.digest == digest)
    #expect(fold.state.counts.poison == 0)
    #expect(fold.state.counts.unknown == 0)
  }
}
