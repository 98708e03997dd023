import EventStorage
import Events
import Foundation
import Logging
import SegmentStorage
import ServiceLifecycle

/// Plays a recording into a log, as fast as it happened or faster.
///
/// What lies before the chosen start is appended at once, so that the boards are full from the first second.
struct Player: Service {
  /// What the recording's time is, on the channel `clock` under the key `now`.
  static let clockChannel = "clock"

  let log: any EventLog
  let recording: RecordingFile
  /// Seconds of the recording in a second.
  let speed: Double
  /// Where playing starts, in milliseconds since 1970.
  let start: Int64
  let logger: Logger
  /// Milliseconds since 1970.
  let now: @Sendable () -> Int64

  func run() async throws {
    do {
      try await cancelWhenGracefulShutdown { try await play() }
    } catch is CancellationError {
      logger.info("playing has stopped")
    }
  }

  private func play() async throws {
    var records = try PlayedRecords(recording)
    let began = ContinuousClock.now
    var lastClock: Int64 = 0
    while true {
      let played = (ContinuousClock.now - began) / .seconds(1) * speed
      let time = start + Int64(played * 1000)
      while true {
        let due = try records.next(until: time)
        if due.isEmpty { break }
        try await append(due)
      }
      if now() - lastClock >= 1000 {
        lastClock = now()
        try await appendClock(time)
      }
      try await Task.sleep(for: .milliseconds(50))
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
    let text = #"{"time":"\#(localTime(time))","speed":\#(speedText(speed))}"#
    let message = Message(
      id: "clock-\(time)", contentType: "application/json", data: Array(text.utf8))
    let key = try EventKey.message(ChannelName(Player.clockChannel), MessageKey("now"))
    try await append([NewRecord(key: key.bytes, value: message.encoded)])
  }
}

/// Takes records out of a recording as their time comes.
private struct PlayedRecords: ~Copyable {
  private struct Batch: RecordSink {
    var records: ArraySlice<(time: Int64, record: NewRecord)> = []

    mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
      func copy(_ range: Range<Int>) -> [UInt8] {
        bytes.extracting(range).withUnsafeBytes { Array($0) }
      }
      for index in rows.indices {
        let row = rows[index]
        let value = row.isTombstone ? nil : copy(row.value)
        records.append((row.timestamp, NewRecord(key: copy(row.key), value: value)))
      }
    }
  }

  private var cursor: RecordingCursor
  private var batch = Batch()

  init(_ recording: RecordingFile) throws(RecordingError) { cursor = try recording.makeCursor() }

  /// Up to a batch of records whose time has come; none when there are no more yet.
  mutating func next(until time: Int64) throws(RecordingError) -> [NewRecord] {
    if batch.records.isEmpty { _ = try cursor.next(into: &batch) }
    let due = batch.records.prefix { $0.time <= time }
    batch.records = batch.records.dropFirst(due.count)
    return due.map(\.record)
  }
}

/// `60` or `0.5`, also for JSON.
package func speedText(_ speed: Double) -> String {
  speed == speed.rounded() ? "\(Int(speed))" : "\(speed)"
}

/// The wall clock of New York, where the departures were recorded.
func localTime(_ milliseconds: Int64) -> String {
  let zone = TimeZone(identifier: "America/New_York") ?? .gmt
  let style = Date.ISO8601FormatStyle(timeZone: zone).year().month().day()
    .time(includingFractionalSeconds: false)
  let text = Date(timeIntervalSince1970: Double(milliseconds) / 1000).formatted(style)
  return String(text.prefix(16))
}
