import EventStorage
import Testing

@testable import KafkaStorage

/// The pieces that know no broker.
@Suite struct RecordsTests {
  private let id = AppendHeader.ID(instance: 0x1122_3344_5566_7788, number: 300)

  @Test func `the header of an append has these bytes, for ever`() {
    let header = AppendHeader(id: id, following: 2)
    #expect(
      header.encodedBatch
        == [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 0xac, 0x02, 0x02])
  }

  @Test(arguments: [UInt64(0), 127, 128, 1 << 40, UInt64(Int64.max)], [0, 1, 9_999])
  func `a header is read back, and nothing else is`(_ number: UInt64, _ following: Int) {
    let header = AppendHeader(
      id: AppendHeader.ID(instance: .max, number: number), following: following,
      idempotencyKey: "k")
    let bytes = header.encodedBatch
    bytes.withUnsafeBytes { bytes in
      #expect(AppendHeader(batch: bytes, idempotencyKey: "k") == header)
      for count in 0..<bytes.count {
        let cut = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        #expect(AppendHeader(batch: cut, idempotencyKey: "k") == nil)
      }
    }
    (bytes + [0]).withUnsafeBytes {
      #expect(AppendHeader(batch: $0, idempotencyKey: nil) == nil)
    }
  }

  @Test func `a header that promises more records than an append can have is none`() {
    let header = AppendHeader(id: id, following: LogLimits.batchRecordsMax)
    header.encodedBatch.withUnsafeBytes {
      #expect(AppendHeader(batch: $0, idempotencyKey: nil) == nil)
    }
  }

  @Test func `appends are put together again when others lie between, or compaction took a part`() {
    var folder = AppendFolder()
    let other = AppendHeader.ID(instance: 1, number: 1)
    #expect(
      folder.take(AppendHeader(id: id, following: 2, idempotencyKey: "k"), at: Offset(10)) == nil)
    #expect(!folder.isBetweenAppends)
    #expect(
      folder.take(AppendHeader(id: other, following: 0), at: Offset(11))
        == .init(id: other, place: Appended(first: Offset(11), end: Offset(12))))
    #expect(folder.take(nil, at: Offset(12)) == nil)
    #expect(folder.take(AppendHeader(id: id, following: 1), at: Offset(13)) == nil)
    #expect(
      folder.take(AppendHeader(id: id, following: 0), at: Offset(20))
        == .init(
          id: id, place: Appended(first: Offset(10), end: Offset(21)), idempotencyKey: "k"))
    #expect(folder.isBetweenAppends)

    // The last record is gone: it is no longer waited for when it cannot come any more, or at the end.
    _ = folder.take(AppendHeader(id: id, following: 1), at: Offset(30))
    _ = folder.take(nil, at: Offset(31 + AppendFolder.strayOffsetsMax))
    #expect(folder.isBetweenAppends)
    _ = folder.take(AppendHeader(id: id, following: 1), at: Offset(50_000))
    folder.reachEnd()
    #expect(folder.isBetweenAppends)
  }

  @Test func `keys that are read later count as the older ones`() {
    var keys = RecentKeys(from: Offset(100))
    let newer = Appended(first: Offset(100), end: Offset(101))
    #expect(keys.take("a", newer) == newer)
    #expect(!keys.isComplete)
    let older = Appended(first: Offset(3), end: Offset(5))
    keys.complete(with: [("a", older), ("b", older)])
    #expect(keys.isComplete)
    for key in ["a", "b"] {
      #expect(
        keys.take(key, Appended(first: Offset(200), end: Offset(201)))
          == Appended(first: older.first, end: older.end, isRepeat: true))
    }
  }
}
