import EventStorage
import Logging
import Projections
import ServiceLifecycle

/// Stores snapshots of the folds now and then, and when the instance stops, so that the next start is short.
///
/// One after the other: while one is written its fold is held as it was, and shares less and less memory with what it has become.
struct Snapshotter: Service {
  let files: SnapshotFiles
  let sources: [SnapshotSource]
  let interval: Duration
  let logger: Logger

  func run() async throws {
    var sources = sources
    var isRunning = true
    while isRunning {
      do {
        try await cancelWhenGracefulShutdown { try await Task.sleep(for: interval) }
      } catch { isRunning = false }
      for index in sources.indices {
        let source = sources[index]
        do {
          sources[index] = try await onThread("snapshot") {
            var source = source
            try source.store(in: files)
            return source
          }
        } catch {
          logger.warning("\(error)")
        }
      }
    }
  }
}
