import EventStorage
import Events
import Logging
import NIOPosix
import Synchronization

/// Reads one partition to its end and goes on as it grows, on a thread of its own, until it is stopped.
final class Follower<Log: EventLog>: Sendable {
  /// How long a wait for records lasts before the follower looks around.
  static var glance: Duration { .milliseconds(100) }

  private let log: Log
  private let partition: ChannelPartition
  private let logger: Logger
  private let isStopped = Atomic(false)
  private let isExpiring = Atomic(false)

  init(_ partition: ChannelPartition, of log: Log, logger: Logger) {
    self.log = log
    self.partition = partition
    self.logger = logger
  }

  /// Ends `run` within `glance`.
  func stop() { isStopped.store(true, ordering: .relaxed) }

  /// Follows until stopped. An error of the log ends it too, is logged, and makes the gateway unready.
  func run() {
    var sink = PartitionSink(partition: partition)
    var position = partition.status.position
    do throws(LogError) {
      while !isStopped.load(ordering: .relaxed) {
        let next = try log.read(
          partition.partition, from: position, bytesMax: partition.limits.readBytesMax,
          into: &sink)
        partition.observe(try log.bounds(of: partition.partition))
        if next > position {
          position = next
          continue
        }
        if !log.waitForRecords(in: partition.partition, after: position, for: patience()) {
          _ = try log.bounds(of: partition.partition)
          passTime()
        }
      }
    } catch {
      if case .closed = error, isStopped.load(ordering: .relaxed) { return }
      partition.fail(error)
      logger.error("no longer following \(partition.partition): \(error)")
    }
  }

  /// Until the next key runs out of time, but no longer than a glance.
  private func patience() -> Duration {
    guard let expiry = partition.nextExpiry else { return Follower.glance }
    let left = Duration.milliseconds(max(1, expiry - WallClock.milliseconds()))
    return min(left, Follower.glance)
  }

  /// Time in a fold is log time. When a key is due and nothing else is appended, a record says that time has passed.
  private func passTime() {
    let now = WallClock.milliseconds()
    guard partition.status.failure == nil, let expiry = partition.nextExpiry, expiry <= now,
      isExpiring.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
    else { return }
    let record = NewRecord(key: EventKey.timePassed.bytes, value: timePassed)
    log.append(AppendBatch([record], timestamp: now), to: partition.partition) { [self] result in
      if case .failure(let error) = result, !error.isStop || partition.fail(error) {
        logger.error("cannot say that time has passed in \(partition.partition): \(error)")
      }
      isExpiring.store(false, ordering: .relaxed)
    }
  }
}

/// An `Event` whose body is an empty `TimePassed`.
private let timePassed: [UInt8] = [EventType.timePassed.rawValue << 3 | 2, 0]

/// Hands what is read to the partition.
private struct PartitionSink: RecordSink {
  let partition: ChannelPartition

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    partition.apply(bytes, rows, next: next)
  }
}
