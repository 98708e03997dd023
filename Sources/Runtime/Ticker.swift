import EventStorage
import Events
import Gateway
import Logging
import ServiceLifecycle

/// Lets time pass in a partition where nothing else happens, when something in it is due to expire.
struct Ticker: Service {
  /// How often it looks.
  static let interval = Duration.seconds(1)

  let log: any EventLog
  let partitions: [LivePartition]
  let now: @Sendable () -> Int64
  let logger: Logger

  func run() async throws {
    try? await cancelWhenGracefulShutdown {
      while true {
        try await Task.sleep(for: Ticker.interval)
        let now = now()
        for live in partitions {
          guard let due = live.nextExpiry, due <= now else { continue }
          let record = NewRecord(key: EventKey.timePassed.bytes, value: TimePassed.encoded)
          do {
            _ = try await log.append(AppendBatch([record], timestamp: now), to: live.partition)
          } catch {
            logger.warning("time cannot pass in \(live.partition): \(error)")
          }
        }
      }
    }
  }
}
