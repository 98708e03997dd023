import EventStorage
import Events
import Foundation
import Projections
import SegmentStorage
import Testing

@testable import Runtime

/// Law 30: a replay to a place of the past is right, or says that it cannot be. Law 7: it misses no deletion.
@Suite struct ReplayTests {
  /// A log in which one key was replaced twice and another deleted, and a copy of it from before it was compacted.
  private final class Story {
    let folder = NSTemporaryDirectory() + "signalbox-replay-" + UUID().uuidString
    let log: SegmentedLog
    var whole: String { folder + "/whole" }
    var compacted: String { folder + "/log" }

    init() async throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      var options = SegmentedLog.Options()
      options.partitions = 1
      options.maintenanceInterval = nil
      options.tombstoneRetention = .milliseconds(1)
      log = try SegmentedLog(opening: folder + "/log", options: options)
      for (key, value, time) in [
        ("k", "1", 1000), ("gone", "1", 1500), ("k", "2", 2000), ("gone", nil, 2500),
      ] as [(String, String?, Int64)] {
        try await publish(key, value, at: time)
      }
      try await log.roll(messages)
      try await publish("k", "3", at: 3000)
      try await publish("other", "1", at: 4000)
      try FileManager.default.copyItem(atPath: compacted, toPath: whole)
    }

    deinit {
      log.close()
      try? FileManager.default.removeItem(atPath: folder)
    }

    func publish(_ key: String, _ value: String?, at time: Int64) async throws {
      let message = value.map {
        Message(id: "\(key)-\($0)", contentType: "text/plain", data: Array($0.utf8)).encoded
      }
      let record = NewRecord(
        key: try EventKey.message(ChannelName("c"), MessageKey(key)).bytes, value: message)
      _ = try await log.append(AppendBatch([record], timestamp: time), to: messages)
    }

    func digest(
      of path: String, until time: Int64? = nil, before offset: Int64? = nil
    ) throws -> String {
      let end = offset.map { Position(log: log.identity, offsets: [messages: Offset($0)]) }
      return try Replay(of: .file(path: path), until: time, before: end).run { _ in }.channels[0]
        .state.digest
    }
  }

  @Test func `a log that was never compacted tells every place`() async throws {
    let story = try await Story()
    let times = try (0..<5000).filter { $0 % 250 == 0 }.map {
      try story.digest(of: story.whole, until: Int64($0))
    }
    #expect(Set(times).count == 7)
  }

  @Test func `what compaction has taken is said, and what is left is right (law 30)`() async throws
  {
    let story = try await Story()
    #expect(try story.log.maintainOnce(always: true) > 0)
    for time in stride(from: Int64(0), through: 5000, by: 250) {
      if time < 2500 {
        #expect(throws: PastIsGone.self, "until \(time)") {
          try story.digest(of: story.compacted, until: time)
        }
      } else {
        #expect(
          try story.digest(of: story.compacted, until: time)
            == story.digest(of: story.whole, until: time), "until \(time)")
      }
    }
    for offset in Int64(0)...7 {
      if offset > 0, offset < 4 {
        #expect(throws: PastIsGone.self, "before \(offset)") {
          try story.digest(of: story.compacted, before: offset)
        }
      } else if offset > 0 {
        #expect(
          try story.digest(of: story.compacted, before: offset)
            == story.digest(of: story.whole, before: offset), "before \(offset)")
      }
    }
  }

  /// Others write to a log on Kafka too, and not all of them have a clock.
  @Test func `a record from the far future ends no replay`() {
    var sink = Until(5000, newestCredible: 1_000_000, Counting())
    for (offset, time) in [(0, 1000), (1, 4_000_000_000_000), (2, 4000), (3, 5001)]
      as [(Int64, Int64)]
    {
      let row = RecordRow(
        offset: Offset(offset), timestamp: time, keyStart: 0, keyLength: 0, valueStart: 0,
        valueLength: 0)
      let none: [UInt8] = []
      sink.apply(none.span.bytes, [row].span, next: Offset(offset + 1))
    }
    let (records, isOver) = (sink.records, sink.isOver)
    #expect(records == 3)
    #expect(isOver)
  }

  private struct Counting: RecordSink {
    mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {}
  }

  @Test func `the refusal says what, where and what to do`() async throws {
    let story = try await Story()
    try story.log.maintainOnce(always: true)
    #expect {
      try story.digest(of: story.compacted, until: 1000)
    } throws: { error in
      "\(error)".hasPrefix(
        "messages/0 of \(story.compacted) is compacted up to offset 4 and 1970-01-01T00:00:02.500Z")
        && "\(error)".hasSuffix("replay a copy of the log that was made before")
    }
  }

  /// Law 7. Records of a mebibyte: each is taken by itself, and the log is compacted behind the first.
  @Test func `a replay that compaction overtakes keeps nothing deleted`() async throws {
    let partition = Partition(.messages, 0)
    let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
    let channel = try ChannelName("c")
    for (key, size) in [("a", 1 << 20), ("b", 1 << 20), ("c", 1 << 20), ("d", 1 << 20), ("a", nil)]
    {
      let value = size.map {
        Message(id: key, contentType: "", data: [UInt8](repeating: 1, count: $0)).encoded
      }
      let record = NewRecord(
        key: EventKey.message(channel, try MessageKey(key)).bytes, value: value)
      _ = try await log.append(AppendBatch([record], timestamp: 1), to: partition)
    }
    var reads = 0
    let (folds, records) = try Replay(of: .memory).fold(log, "memory:", since: .now) { _ in
      reads += 1
      if reads == 1 {
        try? log.compact(partition, before: Offset(5), dropTombstonesBefore: Offset(5))
      }
    }
    #expect(reads > 1)
    #expect(records == 3)
    #expect(folds[0].state.messages(in: channel).map(\.key) == ["b", "c", "d"])
  }
}

private let messages = Partition(.messages, 0)
