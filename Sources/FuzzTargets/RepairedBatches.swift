import EventStorage

/// Batches whose checksums fit whatever they say: no mutation gets past a checksum by chance.
enum RepairedBatches {
  private static let headerBytes = 61

  /// The bytes with the checksum of every batch made right and, for a log, what ties it to its partition.
  static func of(_ bytes: [UInt8], in log: (LogIdentity, Partition)? = nil) -> [UInt8] {
    var bytes = bytes
    var start = 0
    while bytes.count - start >= headerBytes {
      let length = bytes.bigEndian(UInt32.self, at: start + 8)
      guard length >= 49, Int(length) <= bytes.count - start - 12 else { break }
      let end = start + 12 + Int(length)
      if let (identity, partition) = log {
        var tied: [UInt8] = []
        tied.append(littleEndian: identity.rawValue)
        tied.append(littleEndian: partition.topic.rawValue)
        tied.append(littleEndian: Int32(partition.index))
        tied += bytes[start..<start + 8].reversed() + bytes[start + 8..<start + 12].reversed()
        bytes.put(bigEndian: Checksum.of(tied) & 0x7fff_ffff, at: start + 12)
      }
      bytes.put(bigEndian: Checksum.of(bytes[start + 21..<end]), at: start + 17)
      start = end
    }
    return bytes
  }
}
