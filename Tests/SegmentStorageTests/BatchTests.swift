import EventStorage
import PropertyTesting
import Testing

@testable import SegmentStorage

@Suite struct BatchTests {
  private let check = HeaderCheck.sealed(identity: LogIdentity(1), partition: messages)

  private func encoded(
    _ appends: [AppendBatch], at base: Offset = .zero, newest: Int64 = 0,
    _ compression: Compression = .none
  ) -> [UInt8] {
    var encoder = BatchEncoder(check: check, compression: compression)
    _ = encoder.encode(appends, at: base, newest: newest)
    return encoder.withBatch { bytes in bytes.withUnsafeBytes { Array($0) } }
  }

  private func decoded(
    _ bytes: [UInt8], from offset: Offset = .zero
  ) throws(BatchDamage) -> Collector {
    var reader = try BatchReader()
    var sink = Collector()
    let header = try BatchHeader(bytes.span.bytes, check: check)
    guard header.totalBytes == bytes.count else { throw .length }
    try reader.lend(bytes.span.bytes, header, from: offset, into: &sink)
    return sink
  }

  private func randomAppends(_ choices: inout Choices) -> [AppendBatch] {
    (0...choices.below(4)).map { _ in
      AppendBatch(
        (0...choices.below(20)).map { _ in
          let size = [0, 1, 63, 64, 127, 128, 300, 9000][choices.below(8)]
          return NewRecord(
            key: choices.bytes(choices.below(70)),
            value: choices.below(4) == 0 ? nil : choices.bytes(choices.below(size + 1)))
        }, timestamp: Int64(choices.below(1_000_000)),
        idempotencyKey: choices.below(3) == 0 ? "key \(choices.full())" : nil)
    }
  }

  @Test(arguments: [Compression.none, .lz4(acceleration: 1), .lz4(acceleration: 20)])
  func `random batches come back as they were`(compression: Compression) throws {
    var choices = Choices(seed: 11)
    for round in 0..<100 {
      let appends = randomAppends(&choices)
      let base = Int64(choices.below(1 << 40))
      let bytes = encoded(appends, at: Offset(base), newest: 500_000, compression)
      let sink = try decoded(bytes)
      let records = appends.flatMap(\.records)
      #expect(sink.records.map(\.key) == records.map(\.key), "round \(round)")
      #expect(sink.records.map(\.value) == records.map(\.value), "round \(round)")
      #expect(sink.records.map(\.offset) == (0..<records.count).map { base + Int64($0) })
      var newest: Int64 = 500_000
      let times = appends.flatMap { append in
        newest = max(newest, append.timestamp)
        return append.records.map { _ in newest }
      }
      #expect(sink.records.map(\.timestamp) == times)
      #expect(sink.next == Offset(base + Int64(records.count)))
      let half = Offset(base + Int64(records.count / 2))
      #expect(
        try decoded(bytes, from: half).records == sink.records.filter { $0.offset >= half.rawValue }
      )
    }
  }

  @Test func `the bytes of a batch never change`() {
    let bytes = encoded(
      [
        AppendBatch([record("a", "one"), record("b", nil)], timestamp: 1000),
        AppendBatch(
          [record("c", "")], timestamp: 1005, idempotencyKey: "k", writer: nil),
      ], at: Offset(42), newest: 900)
    // Offset, length, header check, magic; checksum, attributes, last delta; times; writer, sequence; count; records.
    let golden =
      "000000000000002a" + "00000072" + "781eda44" + "02"
      + "9c0b9f85" + "0000" + "00000002"
      + "00000000000003e8" + "00000000000003ed"
      + "ffffffffffffffff" + "ffff" + "ffffffff"
      + "00000003"
      + "14" + "00" + "00" + "00" + "0261" + "066f6e65" + "00"
      + "0e" + "00" + "00" + "02" + "0262" + "01" + "00"
      + "5a" + "00" + "0a" + "04" + "0263" + "00" + "04"
      + "1e6964656d706f74656e63792d6b6579" + "026b"
      + "226964656d706f74656e63792d636f756e74" + "0231"
    #expect(
      bytes.map { hex($0) }.joined() == golden,
      "the layout of a batch has changed; logs on disk have not")
  }

  @Test func `every truncation and every flipped bit of a batch is found`() {
    let whole = encoded(
      [AppendBatch([record("key", "value"), record("other", nil)], timestamp: 5)])
    for count in 0..<whole.count {
      #expect(throws: BatchDamage.self) { try decoded(Array(whole.prefix(count))) }
    }
    for bit in 0..<whole.count * 8 {
      var bytes = whole
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: BatchDamage.self, "bit \(bit)") { try decoded(bytes) }
    }
  }

  @Test(arguments: [Compression.none, .lz4(acceleration: 1)])
  func `bytes that lie behind a right checksum are an error and never a trap`(
    compression: Compression
  ) {
    var choices = Choices(seed: 3)
    let appends = [
      AppendBatch((0..<40).map { record("key \($0)", "value \($0)") }, timestamp: 5)
    ]
    let whole = encoded(appends, compression)
    var refused = 0
    for _ in 0..<4000 {
      var bytes = whole
      for _ in 0...choices.below(3) {
        // Not the length and what checks it: those would hide the rest.
        let index = 21 + choices.below(bytes.count - 21)
        bytes[index] = choices.below(2) == 0 ? UInt8(choices.below(256)) : 0xFF
      }
      let checksum = CRC32C.of(Array(bytes[21...]).span.bytes)
      for index in 0..<4 {
        bytes[17 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * index))
      }
      do throws(BatchDamage) {
        _ = try decoded(bytes)
      } catch {
        refused += 1
      }
    }
    #expect(refused > 1000)
  }

  @Test func `a frame that inflates without end is refused`() throws {
    // 64 MiB of zeros shrink to a few hundred kilobytes.
    let zeros = [UInt8](repeating: 0, count: 64 << 20)
    var store = ByteStore()
    #expect(deflate(zeros.span.bytes, acceleration: 1, onto: &store))
    var inflater = try Inflater()
    var buffer: [UInt8] = []
    #expect(throws: BatchDamage.inflatedTooLarge) {
      try store.withBytes { bytes throws(BatchDamage) in
        _ = try inflater.inflate(bytes, into: &buffer)
      }
    }
    #expect(buffer.count <= BatchLimits.inflatedBytesMax)
  }

  @Test func `small batches and batches that do not shrink are stored as they are`() throws {
    var choices = Choices(seed: 9)
    let small = encoded(
      [AppendBatch([record("a", String(repeating: "x", count: 300))], timestamp: 0)],
      .lz4(acceleration: 1))
    let random = encoded(
      [AppendBatch([NewRecord(key: [1], value: choices.bytes(5000))], timestamp: 0)],
      .lz4(acceleration: 1))
    let text = encoded(
      [AppendBatch([record("a", String(repeating: "x", count: 3000))], timestamp: 0)],
      .lz4(acceleration: 1))
    #expect(try BatchHeader(small.span.bytes, check: check).codec == 0)
    #expect(try BatchHeader(random.span.bytes, check: check).codec == 0)
    #expect(try BatchHeader(text.span.bytes, check: check).codec == 3)
    #expect(text.count < 300)
  }

  @Test func `a varint of more than 64 bits is not one`() {
    let long: [UInt8] = Array(repeating: 0xFF, count: 9) + [0x02]
    var at = 0
    #expect(long.span.bytes.zigzag(at: &at, end: long.count) == nil)
    let smallest: [UInt8] = Array(repeating: 0xFF, count: 9) + [0x01]
    at = 0
    #expect(smallest.span.bytes.zigzag(at: &at, end: smallest.count) == Int64.min)
    at = 0
    #expect(smallest.span.bytes.zigzag(at: &at, end: 5) == nil)
  }
}

private func hex<T: FixedWidthInteger>(_ value: T) -> String {
  let digits = String(T.Magnitude(truncatingIfNeeded: value), radix: 16)
  return String(repeating: "0", count: T.bitWidth / 4 - digits.count) + digits
}
