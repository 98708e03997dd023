internal import CISAL

/// CRC-32C (Castagnoli), as Kafka's batches and our own small files carry it.
///
/// ISA-L computes the bare register; the usual inversion before and after is done here.
struct CRC32C {
  private var register: UInt32 = 0xFFFF_FFFF

  /// The checksum of everything added.
  var value: UInt32 { ~register }

  mutating func add(_ bytes: RawSpan) {
    var rest = bytes
    // ISA-L counts bytes in a C int.
    while rest.byteCount > Int(Int32.max) {
      addPiece(rest.extracting(first: 1 << 30))
      rest = rest.extracting(droppingFirst: 1 << 30)
    }
    addPiece(rest)
  }

  mutating func add<T: FixedWidthInteger & BitwiseCopyable>(_ number: T) {
    let value = number.littleEndian
    unsafe withUnsafeBytes(of: value) { unsafe add($0.bytes) }
  }

  static func of(_ bytes: RawSpan) -> UInt32 {
    var crc = CRC32C()
    crc.add(bytes)
    return crc.value
  }

  private mutating func addPiece(_ bytes: RawSpan) {
    guard bytes.byteCount > 0 else { return }
    register = unsafe bytes.withUnsafeBytes { buffer in
      // The C signature lacks const; the bytes are only read.
      let start = unsafe UnsafeMutablePointer(
        mutating: buffer.baseAddress?.assumingMemoryBound(to: UInt8.self))
      return unsafe crc32_iscsi(start, Int32(buffer.count), register)
    }
  }
}
