package import EventStorage

/// The 61 bytes before the records of a batch: Kafka's RecordBatch, magic 2.
///
///      0 base offset          8    12 leader epoch   4    17 checksum    4    27 base time   8    51 epoch     2
///      8 length after this    4    16 magic          1    21 attributes  2    35 newest time 8    53 sequence  4
///                                                         23 last delta  4    43 producer    8    57 records   4
///
/// The checksum covers byte 21 to the end. What it leaves out (offset, length) is covered by a `HeaderCheck` in
/// the leader epoch, which means something to brokers only.
package struct BatchHeader: Equatable, Sendable {
  package static let byteCount = 61
  static let lengthEnd = 12
  static let checksumStart = 21

  package var baseOffset: Int64
  package var batchLength: Int32
  package var leaderEpoch: Int32
  package var checksum: UInt32
  package var attributes: Int16
  package var lastOffsetDelta: Int32
  package var baseTimestamp: Int64
  package var maxTimestamp: Int64
  package var producerID: Int64
  package var producerEpoch: Int16
  package var baseSequence: Int32
  package var recordCount: Int32

  /// Header and records together.
  package var totalBytes: Int { BatchHeader.lengthEnd + Int(batchLength) }
  /// The position after the batch.
  package var next: Int64 { baseOffset + Int64(lastOffsetDelta) + 1 }
  package var isControl: Bool { attributes & 0x20 != 0 }
  var isLogAppendTime: Bool { attributes & 0x08 != 0 }
  var codec: Int16 { attributes & 0x07 }

  /// Reads and judges the header at the start of `bytes`, which may hold less or more than the batch.
  package init(_ bytes: RawSpan, check: HeaderCheck) throws(BatchDamage) {
    guard bytes.byteCount >= BatchHeader.byteCount else { throw .cutShort }
    guard bytes.byte(at: 16) == 2 else { throw .notABatch }
    baseOffset = bytes.bigEndian(Int64.self, at: 0)
    batchLength = bytes.bigEndian(Int32.self, at: 8)
    leaderEpoch = bytes.bigEndian(Int32.self, at: 12)
    guard check.accepts(leaderEpoch, offset: baseOffset, length: batchLength) else {
      throw .foreign
    }
    guard Int(batchLength) >= BatchHeader.byteCount - BatchHeader.lengthEnd,
      Int(batchLength) <= BatchLimits.storedBytesMax
    else { throw .length }
    checksum = bytes.bigEndian(UInt32.self, at: 17)
    attributes = bytes.bigEndian(Int16.self, at: 21)
    lastOffsetDelta = bytes.bigEndian(Int32.self, at: 23)
    baseTimestamp = bytes.bigEndian(Int64.self, at: 27)
    maxTimestamp = bytes.bigEndian(Int64.self, at: 35)
    producerID = bytes.bigEndian(Int64.self, at: 43)
    producerEpoch = bytes.bigEndian(Int16.self, at: 51)
    baseSequence = bytes.bigEndian(Int32.self, at: 53)
    recordCount = bytes.bigEndian(Int32.self, at: 57)
    guard baseOffset >= 0, lastOffsetDelta >= 0,
      baseOffset < Int64.max - Int64(Int32.max) - 1
    else { throw .offset }
    guard recordCount >= 0, Int64(recordCount) <= Int64(lastOffsetDelta) + 1 else {
      throw .recordCount
    }
    guard codec == 0 || codec == 3 else { throw .codec }
  }

  /// Whether the checksum fits `batch`, which is the whole batch.
  func matches(_ batch: RawSpan) -> Bool {
    CRC32C.of(batch.extracting(BatchHeader.checksumStart..<totalBytes)) == checksum
  }
}

/// Ties offset and length of a batch to each other, to the log and to the partition.
package enum HeaderCheck: Sendable {
  /// Batches of other software carry none.
  case none
  /// Batches of this log and partition.
  case sealed(identity: LogIdentity, partition: Partition)

  /// What the leader epoch of a batch must be: 0 or more, as brokers have it.
  func epoch(offset: Int64, length: Int32) -> Int32 {
    guard case .sealed(let identity, let partition) = self else { return 0 }
    var crc = CRC32C()
    crc.add(identity.rawValue)
    crc.add(partition.topic.rawValue)
    crc.add(Int32(partition.index))
    crc.add(offset)
    crc.add(length)
    return Int32(crc.value & 0x7FFF_FFFF)
  }

  func accepts(_ epoch: Int32, offset: Int64, length: Int32) -> Bool {
    guard case .sealed = self else { return true }
    return epoch == self.epoch(offset: offset, length: length)
  }
}
