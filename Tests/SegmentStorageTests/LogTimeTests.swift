import EventStorage
import SegmentStorage
import Testing

@Suite struct LogTimeTests {
  @Test func `time does not run back when retention has taken every record`() async throws {
    let disk = HostileDisk()
    let configured = options {
      $0.observationsRetention = .seconds(1)
      $0.now = { 100_000 }
    }
    var log = try SegmentedLog(opening: "log", options: configured, on: disk)
    _ = try await log.append(
      AppendBatch([record("a", "1")], timestamp: 50_000), to: observations)
    try await log.roll(observations)
    try log.maintainOnce()
    #expect(try log.bounds(of: observations).start == Offset(1))
    for _ in 0..<2 {
      log.close()
      log = try SegmentedLog(opening: "log", options: configured, on: disk)
    }
    _ = try await log.append(AppendBatch([record("b", "1")], timestamp: 7), to: observations)
    #expect(try log.all(observations).map(\.timestamp) == [50_000])
  }
}
