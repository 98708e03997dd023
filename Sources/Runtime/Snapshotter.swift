import EventStorage
import Gateway
import Logging
import Projections
import ServiceLifecycle

/// Stores snapshots of the folds now and then, and when the instance stops, so that the next start is short.
struct Snapshotter: Service {
  let files: SnapshotFiles
  let log: any EventLog
  let partitions: [LivePartition]
  let interval: Duration
  let logger: Logger

  func run() async throws {
    var stored: [Partition: Offset] = [:]
    var isRunning = true
    while isRunning {
      do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
      } catch { isRunning = false }
      for live in partitions where live.position != stored[live.partition, default: .zero] {
        do {
          stored[live.partition] = try await onThread("snapshot") { try store(live.fold) }
        } catch {
          logger.warning("\(error)")
        }
      }
    }
  }

  private func store(_ fold: Fold<Channels>) throws(SnapshotFilesFailure) -> Offset {
    try files.store(
      Snapshot.encode(fold, of: log.identity), of: Channels.name, in: fold.partition,
      at: fold.position)
    return fold.position
  }
}
