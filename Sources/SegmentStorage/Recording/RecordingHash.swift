internal import Crypto

/// The hash that a manifest names its recording by.
struct RecordingHash {
  private var hash = SHA256()

  mutating func add(_ bytes: RawSpan) {
    unsafe bytes.withUnsafeBytes { unsafe hash.update(bufferPointer: $0) }
  }

  /// In hexadecimal.
  func finish() -> String {
    hash.finalize().map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }
}
