/// FNV-1a over bytes, finished with MurmurHash3's 64-bit mixer. The same in every process, for ever:
/// it places channels in slots, so golden vectors hold it still (schemas/golden/slots.tsv).
public enum StableHash {
  /// The hash of these bytes.
  public static func of(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes {
      hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
    }
    hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
    hash = (hash ^ (hash >> 33)) &* 0xc4ce_b9fe_1a85_ec53
    return hash ^ (hash >> 33)
  }
}
