import EventStorage
import Events
import Testing

@testable import Gateway
@testable import Projections

/// Where a reader may resume within a batch.
@Suite struct RecentBatchTests {
  private func batch(expired: [ExpiredKey]) -> RecentBatch {
    let rows = [10, 12, 15].map {
      RecordRow(
        offset: Offset($0), timestamp: 0, keyStart: 0, keyLength: 0, valueStart: 0, valueLength: 0)
    }
    return RecentBatch(bytes: [], rows: rows, from: Offset(9), next: Offset(16), expired: expired)
  }

  @Test func `behind a row is where the next one is, and behind the last one the end`() {
    let batch = batch(expired: [])
    let positions = [Offset(12), Offset(15), Offset(16)]
    #expect([0, 1, 2].map { batch.position(after: $0) } == positions)
    #expect([0, 1, 2].map { batch.position(after: $0, in: "c") } == positions)
  }

  /// A key ran out at the first row and was published again at the third: whoever reads them apart has seen it go.
  @Test func `nobody resumes within a batch that may hide that a key was gone`() throws {
    let channel = try ChannelName("c")
    let keys = try ["a", "b", "a"].map {
      EventKey.message($0 == "a" ? channel : try ChannelName("d"), try MessageKey($0)).bytes
    }
    var bytes: [UInt8] = []
    var rows: [RecordRow] = []
    for (offset, key) in zip([10, 12, 15], keys) {
      rows.append(
        RecordRow(
          offset: Offset(Int64(offset)), timestamp: 0, keyStart: Int32(bytes.count),
          keyLength: Int32(key.count), valueStart: 0, valueLength: 0))
      bytes += key
    }
    let batch = RecentBatch(
      bytes: bytes, rows: rows, from: Offset(9), next: Offset(16), expired: [], hidesExpiry: true)
    #expect([0, 1].allSatisfy { batch.position(after: $0) == nil })
    #expect(batch.position(after: 2) == Offset(16))
    #expect(batch.position(after: 0, in: "c") == nil)
    #expect(batch.position(after: 2, in: "c") == Offset(16))
    #expect(batch.position(after: 1, in: "d") == Offset(16))
  }

  /// Another instance reads the same records in other batches: to it a key that ran out at the first row is known at the second.
  @Test func `nobody resumes between a row and the keys that its time has ended`() throws {
    let key = ExpiredKey(channel: try ChannelName("c"), key: try MessageKey("k"))
    let batch = batch(expired: [key, key])
    #expect([0, 1, 2, 3].allSatisfy { batch.position(after: $0) == nil })
    #expect(batch.position(after: 4) == Offset(16))
    #expect([0, 1, 2, 3].allSatisfy { batch.position(after: $0, in: "c") == nil })
    #expect(batch.position(after: 4, in: "c") == Offset(16))
    #expect(batch.position(after: 0, in: "other") == Offset(12))
  }
}
