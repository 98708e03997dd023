import EventStorage
import Logging
import Projections
import ServiceLifecycle

/// Stores snapshots of the folds now and then, and when the instance stops, so that the next start is short.
struct Snapshotter: Service {
  let files: SnapshotFiles
  let identity: LogIdentity
  /// The folds as they are now.
  let folds: @Sendable () -> [Fold<Channels>]
  let interval: Duration
  let logger: Logger

  func run() async throws {
    var stored: [Partition: Offset] = [:]
    var isRunning = true
    while isRunning {
      do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
      } catch { isRunning = false }
      for fold in folds() where fold.position != stored[fold.partition, default: .zero] {
        do {
          try await onThread("snapshot") { try store(fold) }
          stored[fold.partition] = fold.position
        } catch {
          logger.warning("\(error)")
        }
      }
    }
  }

  private func store(_ fold: Fold<Channels>) throws(SnapshotFilesFailure) {
    try files.store(
      Snapshot.encode(fold, of: identity), of: Channels.name, in: fold.partition,
      at: fold.position)
  }
}
