internal import EventStorage
internal import Synchronization

/// Whether the log may still acknowledge anything. One partition whose write or sync failed stops all of them: they share a disk, and
/// what it did to one it may have done to others unseen (law 15).
final class LogHealth: Sendable {
  private let state = Mutex<LogError?>(nil)

  /// Why the log has stopped.
  var failure: LogError? { state.withLock { $0 } }

  /// Stops it; the first reason stays.
  func fail(_ error: LogError) { state.withLock { $0 = $0 ?? error } }
}
