package import EventStorage
internal import Glibc

extension SegmentedLog {
  /// Who makes appends durable.
  package enum Commits: Sendable {
    /// A thread for each partition, from its first append on.
    case onThread
    /// Whoever calls `commitOnce`; until then appends wait. For a world that has one thread.
    case whenAsked
  }

  /// How a log on disk is opened and kept.
  package struct Options: Sendable {
    /// Partitions per topic. Nil takes an existing log as it is, and makes a new one with 2; another number than an existing
    /// log has is an error.
    package var partitions: Int?
    /// The identity of a log that is made; random when nil.
    package var identity: LogIdentity?
    /// Reads without a lock, changes nothing, and refuses appends. The end stays where it was on opening.
    package var isReadOnly = false
    /// A segment is closed before it grows over this. A larger batch has a segment of its own.
    package var segmentBytes = 64 << 20
    /// How batches are stored from now on. Old ones are read whatever they are.
    package var compression = Compression.lz4(acceleration: 4)
    /// Closed segments of observations go when their newest record is older.
    package var observationsRetention = Duration.seconds(24 * 3600)
    /// Tombstones stay readable for this long at least.
    package var tombstoneRetention = Duration.seconds(7 * 24 * 3600)
    /// A partition is compacted when this share of its closed segments has not been, in hundredths.
    package var compactionDirtyPercent = 50
    /// Keys that one run of compaction tells apart (some 60 bytes each). The rest waits for the next run.
    package var compactionKeysMax = 1_000_000
    /// How often the log looks for something to compact or remove. Nil leaves it to `maintainOnce`.
    package var maintenanceInterval: Duration? = .seconds(30)
    /// Told when a round of maintenance fails, for another reason than the one before, and with nil when one goes well again.
    package var maintenanceChanged: @Sendable (LogError?) -> Void = { _ in }
    /// Who makes appends durable.
    package var commits = Commits.onThread
    /// Milliseconds since 1970. Retention is the only thing that asks.
    package var now: @Sendable () -> Int64 = wallClock

    package init() {}
  }
}

private func wallClock() -> Int64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
