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
    folder.reachEnd(at: Offset(50_003))
    #expect(folder.isBetweenAppends)
  }

  /// An open transaction of another client holds the end back, between two records of an append that is committed.
  @Test
  func `what lies behind the committed end is waited for, and its append begins where it does`() {
    var folder = AppendFolder()
    let other = AppendHeader(id: .init(instance: 1, number: 1), following: 0)
    let first = AppendHeader(id: id, following: 1, idempotencyKey: "k")
    #expect(folder.take(first, at: Offset(10)) == nil)
    folder.reachEnd(at: Offset(11))
    _ = folder.take(other, at: Offset(11))
    // One offset holds nothing, and two would be missing: the last record and the marker.
    folder.reachEnd(at: Offset(13))
    #expect(!folder.isBetweenAppends)
    #expect(
      folder.take(AppendHeader(id: id, following: 0), at: Offset(14))
        == .init(
          id: id, place: Appended(first: Offset(10), end: Offset(15)), idempotencyKey: "k"))
  }

  @Test func `the key of an append counts that ends behind the range in which it begins`() {
    var range = KeyRange(until: Offset(6))
    let first = AppendHeader(id: id, following: 1, idempotencyKey: "k")
    #expect(range.take(first, at: Offset(5)) == true)
    #expect(range.take(AppendHeader(id: id, following: 0), at: Offset(6)) == false)
    let other = AppendHeader(
      id: .init(instance: 1, number: 1), following: 0, idempotencyKey: "other")
    #expect(range.take(other, at: Offset(7)) == false)
    #expect(range.keys.map(\.key) == ["k"])
    #expect(range.keys.map(\.place) == [Appended(first: Offset(5), end: Offset(7))])
  }

  @Test func `a client that began anew writes for no life that was not let in again (law 16)`() {
    var life = WriterLife()
    #expect(life.admission(of: 0, hasClient: false) == .mustAsk)
    life.begin(0)
    #expect(life.admission(of: 0, hasClient: true) == .writes)
    #expect(life.admission(of: 0, hasClient: false) == .mustAsk)
    // A transaction of unknown outcome: another client of the same id ends it, and is newer than any that was let in meanwhile.
    life.forget()
    #expect(life.admission(of: 0, hasClient: true) == .mustAsk)
    life.begin(3)
    #expect(life.admission(of: 2, hasClient: true) == .isOlder(than: 3))
    #expect(life.admission(of: 4, hasClient: true) == .mustAsk)
    #expect(life.lose() == 3)
    #expect(life.admission(of: 3, hasClient: true) == .isOver)
    #expect(life.admission(of: 4, hasClient: true) == .mustAsk)
    #expect(life.lost == 3)
  }

  @Test
  func `nothing from before the tombstone horizon is lent from what was read earlier (law 7)`() {
    var state = Tail.State()
    state.begin(start: .zero, from: .zero)
    let rows = [0, 9].map {
      RecordRow(
        offset: Offset($0), timestamp: 0, keyStart: 0, keyLength: 1, valueStart: 1, valueLength: 0)
    }
    for row in rows {
      let chunk = RecordChunk(
        bytes: [1], rows: [row], from: state.end, next: Offset(row.offset.rawValue + 1))
      _ = state.take(chunk, [], cachedBytesMax: 1 << 20, timeMax: .max)
    }
    #expect(state.select(from: .zero, bytesMax: 1 << 20)?.chunks.count == 2)
    // It was cut off between the two, for so long that the tombstone at 5 has come and gone.
    state.horizon = (Offset(8), .now)
    #expect(state.select(from: .zero, bytesMax: 1 << 20) == nil)
    #expect(state.select(from: Offset(8), bytesMax: 1 << 20)?.next == Offset(10))
    #expect(state.select(from: Offset(10), bytesMax: 1 << 20)?.next == Offset(10))
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
