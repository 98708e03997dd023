import EventStorage
import Foundation
import Testing

@testable import KafkaStorage

@Suite struct FetchPaceTests {
  /// The broker answers at once, whatever a fetch asks it to wait: some 10,000 times a second without the pace.
  @Test func `a follower with nothing to read does not keep the broker busy`() async throws {
    let log = try KafkaLog(Shared.broker.options())
    defer { log.close() }
    _ = try await log.append(batch("a"), to: messages)
    let pace = log.tails.pace
    let before = pace.answersCount
    let start = ContinuousClock.now
    #expect(try await eventually { pace.answersCount > before + FetchPace.hurriedMax + 100 })
    // It may be slower, on a machine that is busy.
    #expect(.now - start > FetchPace.pause * 80)
  }
}
