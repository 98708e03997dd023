/// A record on its way into a log.
public struct NewRecord: Hashable, Sendable {
  /// The canonical key bytes.
  public var key: [UInt8]
  /// The event, or nil for a tombstone. Empty is not nil.
  public var value: [UInt8]?

  /// A record with this key; without a value it is a tombstone.
  public init(key: [UInt8], value: [UInt8]?) {
    self.key = key
    self.value = value
  }

  /// What counts against `LogLimits.recordBytesMax`.
  public var byteCount: Int { key.count + (value?.count ?? 0) }
}

/// The writer of a batch, when older ones are to be kept out (law 16).
public struct Writer: Hashable, Sendable {
  /// Which writer: chosen by the application, 0 or more.
  public var id: Int64
  /// Which life of it: `EventLog.fence` hands them out, rising.
  public var epoch: Int16

  /// A life of a writer.
  public init(id: Int64, epoch: Int16) {
    self.id = id
    self.epoch = epoch
  }
}

/// Records that become durable and visible together, or not at all.
public struct AppendBatch: Hashable, Sendable {
  /// At least one, at most `LogLimits.batchRecordsMax`.
  public var records: [NewRecord]
  /// Milliseconds since 1970. The log never lets time run backwards in a partition: it stores the larger of
  /// this and the newest time it holds. Instances that share a log by their broker hold what they have read: between them it may
  /// step back by as much as their clocks differ.
  public var timestamp: Int64
  /// A batch with the same key as an earlier one adds nothing and is answered with that one's position (law 18).
  public var idempotencyKey: String?
  /// Nil for a writer that need not be fenced.
  public var writer: Writer?

  /// Records to be appended together.
  public init(
    _ records: [NewRecord], timestamp: Int64, idempotencyKey: String? = nil, writer: Writer? = nil
  ) {
    self.records = records
    self.timestamp = timestamp
    self.idempotencyKey = idempotencyKey
    self.writer = writer
  }
}

/// Where a batch came to lie. Returned once it is durable and visible.
public struct Appended: Hashable, Sendable {
  /// The offset of its first record.
  public var first: Offset
  /// The position behind its last record.
  public var end: Offset
  /// True when an earlier append with the same idempotency key is being answered again.
  public var isRepeat: Bool

  /// The place of a batch.
  public init(first: Offset, end: Offset, isRepeat: Bool = false) {
    self.first = first
    self.end = end
    self.isRepeat = isRepeat
  }
}
