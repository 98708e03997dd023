internal import EventStorage

/// Names of the record headers the log writes on the first record of an append that has an idempotency key.
enum AppendHeader {
  static let key = Array("idempotency-key".utf8)
  /// How many records from this one on the key stands for: a decimal number.
  static let count = Array("idempotency-count".utf8)
}

/// What came of encoding.
struct EncodedBatch: Equatable {
  var base: Offset
  var next: Offset
  /// The time of the newest record.
  var newest: Int64
}

/// Writes batches. One per commit thread: its memory is used again.
package struct BatchEncoder: ~Copyable {
  private let check: HeaderCheck
  private let compression: Compression
  /// Room for a header, and the records behind it: the batch itself when it is not compressed.
  private var records = ByteStore(capacity: 64 << 10)
  /// The batch when it is.
  private var compressed = ByteStore(capacity: 64 << 10)
  private var isCompressed = false

  package init(check: HeaderCheck, compression: Compression) {
    self.check = check
    self.compression = compression
  }

  /// Lends the batch encoded last.
  package func withBatch<R, Failure: Error>(_ body: (RawSpan) throws(Failure) -> R) throws(Failure)
    -> R
  {
    try isCompressed ? compressed.withBytes(body) : records.withBytes(body)
  }

  /// The size of the batch encoded last.
  var batchBytes: Int { isCompressed ? compressed.count : records.count }

  /// Encodes several appends of one writer as one batch. No record's time is before `newest`, or before the one ahead of it.
  mutating func encode(
    _ appends: some Sequence<AppendBatch>, at base: Offset, newest: Int64
  ) -> EncodedBatch {
    begin()
    var newest = newest
    var baseTime: Int64?
    var delta: Int64 = 0
    var writer: Writer?
    for append in appends {
      newest = max(newest, append.timestamp)
      let start = baseTime ?? newest
      baseTime = start
      writer = append.writer
      var key = append.idempotencyKey
      // Pointers, because a record that is passed around is retained, twice: a third of what encoding it costs.
      unsafe append.records.withUnsafeBufferPointer { records in
        guard let first = records.baseAddress else { return }
        for index in 0..<records.count {
          unsafe encode(
            first + index, time: newest - start, delta: delta, idempotencyKey: key,
            count: records.count)
          key = nil
          delta += 1
        }
      }
    }
    precondition(delta > 0, "a batch of no records")
    let next = Offset(base.rawValue + delta)
    finish(
      Frame(
        base: base, next: next, baseTime: baseTime ?? newest, newest: newest, writer: writer,
        count: Int32(delta), isControl: false))
    return EncodedBatch(base: base, next: next, newest: newest)
  }

  /// A control batch that makes a new life of a writer durable. To Kafka's tools it is a commit marker.
  mutating func encodeFence(_ writer: Writer, at base: Offset, newest: Int64) -> EncodedBatch {
    begin()
    let marker = NewRecord(key: [0, 0, 0, 1], value: [0, 0, 0, 0, 0, 0])
    unsafe withUnsafePointer(to: marker) {
      unsafe encode($0, time: 0, delta: 0, idempotencyKey: nil, count: 1)
    }
    let next = Offset(base.rawValue + 1)
    finish(
      Frame(
        base: base, next: next, baseTime: newest, newest: newest, writer: writer, count: 1,
        isControl: true))
    return EncodedBatch(base: base, next: next, newest: newest)
  }

  /// A batch of records as they are stored, for compaction: what `header` says, but with these records only.
  package mutating func encode(keeping kept: RawSpan, count: Int32, of header: BatchHeader) {
    begin()
    records.append(kept)
    finish(
      Frame(
        base: Offset(header.baseOffset), next: Offset(header.next),
        baseTime: header.baseTimestamp, newest: header.maxTimestamp,
        writer: header.producerID < 0
          ? nil : Writer(id: header.producerID, epoch: header.producerEpoch),
        count: count, isControl: header.isControl))
  }

  private mutating func encode(
    _ record: UnsafePointer<NewRecord>, time: Int64, delta: Int64, idempotencyKey: String?,
    count: Int
  ) {
    let keyCount = unsafe record.pointee.key.count
    let valueCount = unsafe record.pointee.value?.count
    var headers = 1
    var keyHeader: [UInt8] = []
    var countHeader: [UInt8] = []
    if let idempotencyKey {
      keyHeader = Array(idempotencyKey.utf8)
      countHeader = Array(String(count).utf8)
      headers +=
        headerSize(AppendHeader.key, keyHeader) + headerSize(AppendHeader.count, countHeader)
    }
    let length =
      1 + zigzagSize(time) + zigzagSize(delta)
      + zigzagSize(Int64(keyCount)) + keyCount
      + zigzagSize(Int64(valueCount ?? -1)) + (valueCount ?? 0) + headers
    // Every varint may ask for ten bytes of room.
    records.reserve(length + 64)
    records.append(zigzag: Int64(length))
    records.append(byte: 0)
    records.append(zigzag: time)
    records.append(zigzag: delta)
    records.append(zigzag: Int64(keyCount))
    unsafe record.pointee.key.withUnsafeBytes { unsafe records.append($0.bytes) }
    records.append(zigzag: Int64(valueCount ?? -1))
    unsafe record.pointee.value?.withUnsafeBytes { unsafe records.append($0.bytes) }
    guard idempotencyKey != nil else {
      records.append(zigzag: 0)
      return
    }
    records.append(zigzag: 2)
    append(AppendHeader.key, keyHeader)
    append(AppendHeader.count, countHeader)
  }

  private mutating func append(_ name: [UInt8], _ value: [UInt8]) {
    records.append(zigzag: Int64(name.count))
    records.append(name)
    records.append(zigzag: Int64(value.count))
    records.append(value)
  }

  private struct Frame {
    var base: Offset
    var next: Offset
    var baseTime: Int64
    var newest: Int64
    var writer: Writer?
    var count: Int32
    var isControl: Bool
  }

  private mutating func begin() {
    records.removeAll()
    records.appendZeros(BatchHeader.byteCount)
  }

  /// Writes the header before the records, compressed where that is smaller.
  private mutating func finish(_ frame: Frame) {
    isCompressed = !frame.isControl && compress()
    if isCompressed {
      BatchEncoder.writeHeader(frame, compression.code, check, &compressed)
    } else {
      BatchEncoder.writeHeader(frame, 0, check, &records)
    }
  }

  private mutating func compress() -> Bool {
    guard case .lz4(let acceleration) = compression,
      records.count - BatchHeader.byteCount >= BatchLimits.compressedBytesMin
    else { return false }
    compressed.removeAll()
    compressed.appendZeros(BatchHeader.byteCount)
    return records.withBytes {
      deflate(
        $0.extracting(droppingFirst: BatchHeader.byteCount), acceleration: acceleration,
        onto: &compressed)
    }
  }

  private static func writeHeader(
    _ frame: Frame, _ codec: Int16, _ check: HeaderCheck, _ batch: inout ByteStore
  ) {
    let length = Int32(batch.count - BatchHeader.lengthEnd)
    batch.put(bigEndian: frame.base.rawValue, at: 0)
    batch.put(bigEndian: length, at: 8)
    batch.put(bigEndian: check.epoch(offset: frame.base.rawValue, length: length), at: 12)
    batch.put(bigEndian: UInt8(2), at: 16)
    batch.put(bigEndian: codec | (frame.isControl ? 0x30 : 0), at: 21)
    batch.put(bigEndian: Int32(frame.next.rawValue - frame.base.rawValue - 1), at: 23)
    batch.put(bigEndian: frame.baseTime, at: 27)
    batch.put(bigEndian: frame.newest, at: 35)
    batch.put(bigEndian: frame.writer?.id ?? -1, at: 43)
    batch.put(bigEndian: frame.writer?.epoch ?? -1, at: 51)
    batch.put(bigEndian: Int32(-1), at: 53)
    batch.put(bigEndian: frame.count, at: 57)
    let checksum = batch.withBytes {
      CRC32C.of($0.extracting(droppingFirst: BatchHeader.checksumStart))
    }
    batch.put(bigEndian: checksum, at: 17)
  }
}

@inline(__always)
private func zigzagSize(_ value: Int64) -> Int {
  let bits = 64 - UInt64(bitPattern: (value << 1) ^ (value >> 63)).leadingZeroBitCount
  return max(1, (bits + 6) / 7)
}

private func headerSize(_ name: [UInt8], _ value: [UInt8]) -> Int {
  zigzagSize(Int64(name.count)) + name.count + zigzagSize(Int64(value.count)) + value.count
}
