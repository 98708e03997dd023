internal import EventStorage

/// What a record says of the append that it came with, in the Kafka header `batch`:
/// the instance (8 bytes, little-endian), the number of the append there and the records of it that follow, as varints.
///
/// With it an append finds itself again after an error, and a reader knows where an append ends. The first record of an append
/// carries its idempotency key besides, in the header `idempotency-key`.
package struct AppendHeader: Equatable, Sendable {
  /// Which append.
  package struct ID: Hashable, Sendable {
    package var instance: UInt64
    package var number: UInt64

    package init(instance: UInt64, number: UInt64) {
      self.instance = instance
      self.number = number
    }
  }

  package var id: ID
  /// Records of the append behind this one.
  package var following: Int
  package var idempotencyKey: String?

  package init(id: ID, following: Int, idempotencyKey: String? = nil) {
    self.id = id
    self.following = following
    self.idempotencyKey = idempotencyKey
  }

  /// Nil when the bytes are not what `encodedBatch` writes: the record is then taken for an append of its own.
  init?(batch bytes: UnsafeRawBufferPointer, idempotencyKey: String?) {
    guard bytes.count >= 10 else { return nil }
    let instance = unsafe bytes.loadUnaligned(as: UInt64.self)
    var rest = unsafe bytes[8...]
    guard let number = unsafe AppendHeader.varint(&rest),
      let following = unsafe AppendHeader.varint(&rest),
      following < UInt64(LogLimits.batchRecordsMax),
      unsafe rest.isEmpty
    else { return nil }
    id = ID(instance: UInt64(littleEndian: instance), number: number)
    self.following = Int(following)
    self.idempotencyKey = idempotencyKey
  }

  var encodedBatch: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(18)
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: id.instance >> shift))
    }
    for value in [id.number, UInt64(following)] {
      var rest = value
      while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
      }
      bytes.append(UInt8(rest))
    }
    return bytes
  }

  private static func varint(_ bytes: inout Slice<UnsafeRawBufferPointer>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 63, by: 7) {
      guard let byte = unsafe bytes.popFirst() else { return nil }
      value |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return value }
    }
    return nil
  }
}
