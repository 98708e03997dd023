public import EventStorage
public import PropertyTesting

/// What may stand in the log that a projection folds: where histories take their records from.
///
/// Only `record` must be given. What else is given lets more laws be checked: `poison` law 10, `unknown` law 11, `versions` law 12.
public struct RecordSource: Sendable {
  /// The partition that histories are of.
  public var partition = Partition(.messages, 0)
  /// Whether the log may be compacted by key: laws 6 and 7, and part of 8, 10 and 11, are checked only then.
  public var isCompacted = true
  /// Whether one state is fed several partitions: law 9 then checks that too, besides that partitions do not see each other.
  public var mergesPartitions = false
  /// Makes a record that the projection understands.
  ///
  /// Keys should come from a few, so that they meet: three is a good number. Times in a history are small: from 1 on, a few
  /// milliseconds from record to record, so that an event that expires should do so at a time of at most a hundred.
  /// Tombstones need not be made here: a history deletes keys by itself.
  public var record: @Sendable (inout Choices) -> NewRecord
  /// Values that cannot be decoded, under whatever key.
  public var poison: [[UInt8]] = []
  /// Values of an event type that the projection does not know.
  public var unknown: [[UInt8]] = []
  /// Other things that stand in the log: keys that are none of the projection's own, facts that cannot be.
  public var strangers: [NewRecord] = []
  /// Facts as older versions wrote them.
  public var versions: [VersionedFact] = []

  /// Records of an application's own.
  public init(record: @escaping @Sendable (inout Choices) -> NewRecord) { self.record = record }
}

/// One fact, as each version of its event wrote it.
public struct VersionedFact: Sendable {
  /// The key that it stands under.
  public var key: [UInt8]
  /// The values, those of the oldest version first and today's last. All say the same.
  public var values: [[UInt8]]

  /// A fact in its versions.
  ///
  /// - Precondition: there is a value.
  public init(key: [UInt8], values: [[UInt8]]) {
    precondition(!values.isEmpty, "a fact that no version wrote")
    self.key = key
    self.values = values
  }
}
