import EventStorage
import Events
import Logging
import ServiceLifecycle

/// Plays a recording into a log, as fast as it happened or faster.
///
/// What lies before the chosen start is appended at once, so that the boards are full from the first second.
struct Player: Service {
  /// What the recording's time is, on the channel `clock` under the key `now`.
  static let clockChannel = "clock"

  let log: any EventLog
  let recording: Recording
  /// Seconds of the recording in a second.
  let speed: Double
  /// Where playing starts, in milliseconds since 1970.
  let start: Int64
  let logger: Logger
  /// Milliseconds since 1970.
  let now: @Sendable () -> Int64

  func run() async throws {
    var records = recording.records()
    let began = ContinuousClock.now
    var lastClock: Int64 = 0
    try await cancelWhenGracefulShutdown {
      while true {
        let played = (ContinuousClock.now - began) / .seconds(1) * speed
        let time = start + Int64(played * 1000)
        while let due = try records.next(until: time, atMost: 1000) { try await append(due) }
        if records.isAtEnd {
          logger.info("the recording is at its end")
          return
        }
        if now() - lastClock >= 1000 {
          lastClock = now()
          try await appendClock(time)
        }
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }

  private func append(_ records: [NewRecord]) async throws {
    var batches: [Partition: [NewRecord]] = [:]
    for record in records {
      guard let (channel, _) = EventKey.message(bytes: record.key) else { continue }
      let index = Slot(channel: channel).partition(of: log.layout.partitions)
      batches[Partition(.messages, index), default: []].append(record)
    }
    for (partition, batch) in batches.sorted(by: { $0.key < $1.key }) {
      _ = try await log.append(AppendBatch(batch, timestamp: now()), to: partition)
    }
  }

  private func appendClock(_ time: Int64) async throws {
    let text = #"{"time":"\#(recording.localTime(time))","speed":\#(Int(speed))}"#
    let message = Message(
      id: "clock-\(time)", contentType: "application/json", data: Array(text.utf8))
    let key = try EventKey.message(ChannelName(Player.clockChannel), MessageKey("now"))
    try await append([NewRecord(key: key.bytes, value: message.encoded)])
  }
}
