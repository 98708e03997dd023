import EventStorage
import Events
import Foundation
import Projections
import SegmentStorage
import Testing

@testable import KafkaStorage

/// What others see of the log, and the log of others; and the same history on memory, disk and Kafka.
@Suite struct WitnessTests {
  @Test func `kcat reads what was appended: canonical key, value, tombstone, idempotency key`()
    async throws
  {
    let options = try Shared.broker.options()
    let log = try KafkaLog(options)
    defer { log.close() }
    let key = try EventKey.message(ChannelName("board"), MessageKey("k"))
    _ = try await log.append(
      AppendBatch(
        [NewRecord(key: key.bytes, value: Array("value".utf8))], timestamp: 1_700_000_000_000,
        idempotencyKey: "request 1"), to: messages)
    _ = try await log.append(
      AppendBatch([NewRecord(key: key.bytes, value: nil)], timestamp: 1_700_000_000_001),
      to: messages)
    _ = try await log.append(
      AppendBatch([NewRecord(key: key.bytes, value: [])], timestamp: 1_700_000_000_002),
      to: messages)
    let output = try run(
      "kcat",
      [
        "-b", options.brokers, "-C", "-t", options.topic(.messages), "-p", "0", "-e", "-q", "-f",
        "%o|%T|%K|%k|%S|%s|%h\n",
      ])
    let lines = output.split(separator: "\n").map {
      $0.split(separator: "|", omittingEmptySubsequences: false)
    }
    try #require(lines.count == 3)
    let text = String(decoding: key.bytes, as: UTF8.self)
    #expect(lines.map { String($0[0]) } == ["0", "1", "2"])
    #expect(lines.map { String($0[1]) } == (0...2).map { "\(1_700_000_000_000 + $0)" })
    #expect(lines.allSatisfy { $0[2] == "\(key.bytes.count)" && $0[3] == text })
    #expect(lines.map { String($0[4]) } == ["5", "-1", "0"])
    #expect(lines[0][5] == "value")
    #expect(lines[0][6].contains("idempotency-key=request 1"))
  }

  @Test func `a record of a Python producer is read, and a Python consumer reads ours`()
    async throws
  {
    let options = try Shared.broker.options()
    let log = try KafkaLog(options)
    defer { log.close() }
    let script = """
      import sys
      from confluent_kafka import Producer, Consumer, TopicPartition
      brokers, topic = sys.argv[1:]
      producer = Producer({"bootstrap.servers": brokers})
      producer.produce(topic, key=b"from python", value=b"hello", partition=0, headers={"a": b"b"})
      producer.produce(topic, key=b"from python", value=None, partition=0)
      assert producer.flush(20) == 0
      consumer = Consumer({"bootstrap.servers": brokers, "group.id": topic,
                           "enable.partition.eof": False})
      consumer.assign([TopicPartition(topic, 0, 0)])
      for _ in range(5):
          message = consumer.poll(20)
          assert message is not None and message.error() is None, message
          print(message.offset(), message.key().decode(), message.value())
      """
    _ = try await log.append(
      AppendBatch([record("a", "1"), record("b", "2")], timestamp: milliseconds()), to: messages)
    _ = try await log.append(batch("c", "3"), to: messages)
    let python =
      ProcessInfo.processInfo.environment["SIGNALBOX_PYTHON"] ?? ".cache/python/bin/python3"
    let output = try await onThread {
      try run(python, ["-c", script, options.brokers, options.topic(.messages)])
    }
    // The commit of the first two takes an offset that no record has.
    #expect(
      output == """
        0 a b'1'
        1 b b'2'
        3 c b'3'
        4 from python b'hello'
        5 from python None

        """)
    #expect(
      try await eventually { try log.all(messages).map(\.key).count { $0 == "from python" } == 2 })
    #expect(try log.all(messages).last?.value == nil)
  }

  @Test func `a record of others from the far future does not make ours as new`() async throws {
    let options = try Shared.broker.options()
    let log = try KafkaLog(options)
    defer { log.close() }
    _ = try await log.append(batch("a"), to: messages)
    let client = try Client(.producer, KafkaProperties(options).producer, reports: .queued)
    let year2100: Int64 = 4_102_444_800_000
    try client.produce(
      record("stray", "x"), to: try client.topic(options.topic(.messages)), 0, timestamp: year2100,
      header: AppendHeader(id: .init(instance: 1, number: 1), following: 0), opaque: 0)
    client.flush(within: .seconds(1))
    #expect(try await eventually { try log.all(messages).contains { $0.key == "stray" } })
    _ = try await log.append(batch("b"), to: messages)
    let seen = try log.all(messages)
    #expect(seen.map(\.key) == ["a", "stray", "b"])
    #expect(seen[1].timestamp == year2100)
    #expect(abs(seen[2].timestamp - milliseconds()) < 600_000)
  }

  @Test func `readers go over the holes that compaction leaves, and fold to the same`() async throws
  {
    let options = try Shared.broker.options {
      $0.topicConfiguration = [
        "segment.ms": "100", "min.cleanable.dirty.ratio": "0.01", "min.compaction.lag.ms": "0",
      ]
      $0.compactionLag = .zero
      $0.cachedBytesMax = 20_000
    }
    let log = try KafkaLog(options)
    defer { log.close() }
    var last: [String: String] = [:]
    var round = 0
    var count = 0
    // A segment is closed by the append after its time, and compacted when it is closed.
    let hasHoles = try await eventually {
      for index in 0..<100 {
        let key = "key \((round * 7 + index) % 23)"
        last[key] = "\(round) \(index)"
        count += 1
        // One by one: this broker does not compact topics with transactions in them.
        log.append(batch(key, last[key]), to: messages) { _ in }
      }
      _ = try await log.append(batch("last", "\(round)"), to: messages)
      last["last"] = "\(round)"
      count += 1
      round += 1
      return try log.all(messages).count < count / 2
    }
    #expect(hasHoles, "the broker has not compacted \(count) records")
    for bytesMax in [1, 5_000, 1 << 20] {
      let seen = try log.all(messages, bytesMax: bytesMax)
      #expect(zip(seen, seen.dropFirst()).allSatisfy { $0.offset < $1.offset })
      #expect(newest(of: seen) == last)
    }
    // From every kind of place: records, holes and the end.
    let bounds = try log.bounds(of: messages)
    let all = try log.all(messages)
    for share in Int64(0)...20 {
      let from = Offset(
        bounds.start.rawValue + (bounds.end.rawValue - bounds.start.rawValue) * share / 20)
      var sink = Collecting()
      var position = from
      while position < bounds.end {
        let next = try log.read(messages, from: position, bytesMax: 2_000, into: &sink)
        #expect(next > position)
        guard next > position else { break }
        position = next
      }
      // More may have been compacted meanwhile: what is newest stays.
      #expect(newest(of: sink.seen) == newest(of: all.filter { $0.offset >= from }))
    }
  }

  private func newest(of records: [Seen]) -> [String: String] {
    records.reduce(into: [:]) { $0[$1.key] = $1.value }
  }

  @Test func `a recorded history has one digest on memory, disk and Kafka (law 17)`() async throws {
    let history = try History(records: 6_000)
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("signalbox-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let memory = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 2))
    let disk = try SegmentedLog(opening: "\(folder)/log")
    let kafka = try KafkaLog(Shared.broker.options())
    defer {
      disk.close()
      kafka.close()
    }
    let expected = try await history.digests(on: memory)
    #expect(expected.count == 3)
    #expect(!expected.contains(Channels().digest))
    #expect(try await history.digests(on: disk) == expected)
    #expect(try await history.digests(on: kafka) == expected)
  }
}

/// The first records of the recorded departures, and the facts of every released version of the schema.
private struct History {
  private struct Batches: RecordSink {
    var batches: [AppendBatch] = []
    mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
      func copy(_ range: Range<Int>) -> [UInt8] {
        bytes.extracting(range).withUnsafeBytes { Array($0) }
      }
      // One record to a batch, as publishing makes them: states remember offsets, and the commit of a larger batch takes one.
      for index in rows.indices {
        let row = rows[index]
        let record = NewRecord(
          key: copy(row.key), value: row.isTombstone ? nil : copy(row.value))
        batches.append(AppendBatch([record], timestamp: row.timestamp))
      }
    }
  }

  private let batches: [AppendBatch]
  private let facts: [AppendBatch]

  init(records: Int) throws {
    let recording = try RecordingFile(opening: "replay/nyc-departures/january.log")
    var cursor = try recording.makeCursor()
    var sink = Batches()
    while sink.batches.count < records, try cursor.next(into: &sink) {}
    batches = sink.batches
    let golden = try String(contentsOfFile: "schemas/golden/events-v1.tsv", encoding: .utf8)
    var facts: [NewRecord] = []
    for line in golden.split(separator: "\n") {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count == 3, let key = bytes(ofHexadecimal: fields[1]),
        ["node/", "slot/", "cluster/"].contains(where: { key.starts(with: Array($0.utf8)) })
      else { continue }
      facts.append(NewRecord(key: key, value: bytes(ofHexadecimal: fields[2])))
    }
    guard facts.count >= 5 else { throw Broker.Missing(description: "no golden facts") }
    // All, each once more, and one that goes for good.
    self.facts = (facts + facts.reversed() + [NewRecord(key: facts[0].key, value: nil)])
      .enumerated().map { AppendBatch([$1], timestamp: 1_700_000_000_000 + Int64($0)) }
  }

  /// Appends everything, and folds what is read back: into channels, nodes and routes.
  func digests(on log: some EventLog) async throws -> [String] {
    let topology = Partition(.topology, 0)
    try await append(batches, to: messages, of: log)
    try await append(facts, to: topology, of: log)
    var channels = Fold<Channels>(messages)
    var nodes = Fold<Directory>(topology)
    var routes = Fold<RoutingTable>(topology)
    try channels.catchUp(with: log)
    try nodes.catchUp(with: log)
    try routes.catchUp(with: log)
    return [channels.state.digest, nodes.state.digest, routes.state.digest]
  }

  /// From one thread: appends of one record come to lie in their order.
  private func append(
    _ batches: [AppendBatch], to partition: Partition, of log: some EventLog
  ) async throws {
    _ = try log.bounds(of: partition)
    let answered = Monitor(0)
    for batch in batches {
      log.append(batch, to: partition) { answer in
        if case .success = answer { answered.change { $0 += 1 } }
      }
    }
    let count = batches.count
    #expect(try await onThread { answered.wait(for: .seconds(60)) { $0 == count } })
  }
}

private func bytes(ofHexadecimal text: some StringProtocol) -> [UInt8]? {
  var bytes: [UInt8] = []
  var rest = text[...]
  while !rest.isEmpty {
    guard let byte = UInt8(rest.prefix(2), radix: 16) else { return nil }
    bytes.append(byte)
    rest = rest.dropFirst(2)
  }
  return bytes
}
