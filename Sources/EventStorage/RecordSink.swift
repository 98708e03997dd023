/// Where one record lies in the bytes of its batch, and what is known without reading it.
public struct RecordRow: Sendable {
  /// Its place in the partition.
  public var offset: Offset
  /// Milliseconds since 1970, as the log stamped it.
  public var timestamp: Int64
  /// First byte of the key.
  public var keyStart: Int32
  /// Length of the key in bytes.
  public var keyLength: Int32
  /// First byte of the value.
  public var valueStart: Int32
  /// Length of the value in bytes; -1 for a tombstone.
  public var valueLength: Int32

  /// A row of a batch.
  public init(
    offset: Offset, timestamp: Int64, keyStart: Int32, keyLength: Int32, valueStart: Int32,
    valueLength: Int32
  ) {
    self.offset = offset
    self.timestamp = timestamp
    self.keyStart = keyStart
    self.keyLength = keyLength
    self.valueStart = valueStart
    self.valueLength = valueLength
  }

  /// True when there is no value, which deletes the key.
  public var isTombstone: Bool { valueLength < 0 }
  /// The bytes of the key.
  public var key: Range<Int> { Int(keyStart)..<Int(keyStart) + Int(keyLength) }
  /// The bytes of the value; empty for a tombstone.
  public var value: Range<Int> {
    Int(valueStart)..<Int(valueStart) + Int(max(0, valueLength))
  }
}

/// Takes records a batch at a time, in the order of their offsets, lent and not given.
public protocol RecordSink: ~Copyable {
  /// One batch: `rows` say where its records lie in `bytes`. Both are valid during the call only.
  ///
  /// - Parameter next: the position after the batch.
  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset)
}
