/// The limits every log keeps.
public enum LogLimits {
  /// Key and value of one record together, in bytes.
  public static let recordBytesMax = 4 << 20
  /// Records of one batch.
  public static let batchRecordsMax = 10_000
  /// Keys and values of one batch together, in bytes.
  public static let batchBytesMax = 16 << 20
  /// UTF-8 bytes of an idempotency key.
  public static let idempotencyKeyBytesMax = 255
  /// Idempotency keys a partition remembers, the newest first.
  public static let idempotencyKeysMax = 100_000
  /// Bytes of batches that may wait to become durable in one partition. Further appends are refused.
  public static let pendingBytesMax = 64 << 20
}
