/// How a simulated cluster and the clients of it are set: as `KafkaLog.Options` and the configuration of its topics, in little.
struct ClusterSettings {
  /// min.compaction.lag.ms: longer than an append may take, and clocks differ by less.
  var compactionLag: VirtualTime
  /// delete.retention.ms.
  var tombstoneRetention: VirtualTime
  var observationsRetention: VirtualTime
  /// A segment is closed at so many records; the open one is never compacted.
  var segmentRecords: Int
  /// A produce request of a transaction carries so many records at most.
  var requestRecordsMax: Int
  /// A tail is followed from so many offsets before the end on.
  var window: Int64
  /// Records of a tail that are kept; what is older is read in ranges.
  var cachedRecords: Int

  static let requestTimeout = VirtualTime.milliseconds(1000)
  static let appendTimeout = VirtualTime.milliseconds(2600)
  /// For so long an append is tried; in the rest of its time is found out whether it arrived after all.
  static let sendTimeout = VirtualTime.milliseconds(1300)
  static let transactionTimeout = VirtualTime.milliseconds(1600)
  static let sessionTimeout = VirtualTime.milliseconds(3000)
  /// How long a tombstone horizon is good for.
  static let horizonLife = VirtualTime.milliseconds(1000)
  /// How long a follower's fetch waits.
  static let fetchWait = VirtualTime.milliseconds(600)

  init(_ chance: Chance) {
    compactionLag = .seconds(4 + 2 * Int64(chance.below(4)))
    tombstoneRetention = .milliseconds(2000 << Int64(chance.below(4)))
    observationsRetention = .seconds(10 + Int64(chance.below(60)))
    segmentRecords = 4 << chance.below(5)
    requestRecordsMax = 4 - chance.below(4)
    window = 4 << Int64(chance.below(6))
    cachedRecords = 16 << chance.below(5)
  }

  /// How far a clock may be off: a writer's, a reader's and a broker's differ by less than the lag together.
  var clockErrorMax: Int64 { compactionLag.microseconds / 1000 / 8 }
}
