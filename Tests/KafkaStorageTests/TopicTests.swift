import EventStorage
import Testing

@testable import KafkaStorage

/// Topics that somebody else made.
@Suite struct TopicTests {
  private func client(_ options: KafkaLog.Options) throws -> Client {
    try Client(.producer, KafkaProperties(options).producer, reports: .queued)
  }

  @Test func `topics that would lose records are refused, all in one error`() throws {
    let options = try Shared.broker.options()
    try client(options).make(
      [
        .init(
          name: options.topic(.messages), partitions: 2,
          configuration: ["cleanup.policy": "compact,delete", "retention.ms": "1000"]),
        .init(
          name: options.topic(.topology), partitions: 3,
          configuration: [
            "cleanup.policy": "compact", "max.message.bytes": "10000000",
            "delete.retention.ms": "1000",
          ]),
        .init(
          name: options.topic(.observations), partitions: 2,
          configuration: ["cleanup.policy": "delete", "max.message.bytes": "10000000"]),
      ], within: .seconds(5))
    let error = #expect(throws: LogError.self) { try KafkaLog(options) }
    guard case .cannotOpen(_, let reason, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    for expected in [
      "\(options.topic(.messages)): cleanup.policy is compact,delete (T15)",
      "\(options.topic(.messages)): max.message.bytes",
      "\(options.topic(.messages)): delete.retention.ms",
      "\(options.topic(.topology)): it has 3 partitions, not 1 (T12)",
      "\(options.topic(.topology)): delete.retention.ms is 1000 (T5)",
      "\(options.topic(.observations)): message.timestamp.type is CreateTime",
    ] {
      #expect(reason.contains(expected), "\(reason)")
    }
    let findings = try KafkaLog.findings(options)
    #expect(findings.contains { $0.weight == .refused && $0.trap == "T15" })
    #expect(findings.contains { $0.weight == .advised && $0.trap == "T8" })
  }

  @Test func `a log of its own making has nothing that is refused`() throws {
    let options = try Shared.broker.options()
    try KafkaLog(options).close()
    #expect(try KafkaLog.findings(options).filter { $0.weight == .refused } == [])
  }

  @Test func `a log that has lost a topic is not made whole in silence`() throws {
    let options = try Shared.broker.options()
    try KafkaLog(options).close()
    var metadata = try client(options).metadata(within: .seconds(5))
    metadata[options.topic(.deliveries)] = nil
    let plan = TopicPlan(options: options)
    let findings = plan.findings(metadata, [:], partitions: 2).filter { $0.weight == .refused }
    #expect(findings.map(\.topic) == [options.topic(.deliveries)])
  }

  @Test func `what becomes of candidates is compacted away while they speak`() throws {
    let options = try Shared.broker.options()
    try KafkaLog(options).close()
    let name = options.controlTopic
    let made = try client(options).configurations(of: [name], within: .seconds(5))[name] ?? [:]
    // The segment that is written is never compacted: with the usual week, everybody reads a week of words.
    #expect(Int(made["segment.ms"] ?? "") == 600_000, "\(made)")
    #expect((Int(made["min.compaction.lag.ms"] ?? "") ?? .max) <= 60_000, "\(made)")
    #expect(try KafkaLog.findings(options).filter { $0.trap == "T9" || $0.trap == "T5" } == [])

    let plan = TopicPlan(options: options)
    let findings = plan.findings(
      [name: .init(partitions: 1, replicas: 3)],
      [name: made.merging(["segment.ms": "604800000"]) { $1 }], partitions: 2)
    #expect(findings.contains { $0.trap == "T9" && $0.topic == name && $0.weight == .advised })
  }

  @Test func `with three copies, what is acknowledged is on two brokers at least`() throws {
    var options = KafkaLog.Options(brokers: "127.0.0.1:1")
    let plan = TopicPlan(options: options)
    let name = options.topic(.messages)
    let one = plan.newTopic(.messages, name, partitions: 2).configuration
    #expect(one["min.insync.replicas"] == nil)
    options.replicationFactor = 3
    let three = TopicPlan(options: options).newTopic(.messages, name, partitions: 2)
    #expect(three.replicationFactor == 3)
    #expect(three.configuration["min.insync.replicas"] == "2")

    func findings(_ change: [String: String]) -> [TopicFinding] {
      plan.findings(
        [name: .init(partitions: 2, replicas: 3)],
        [name: three.configuration.merging(change) { $1 }], partitions: 2
      ).filter { $0.topic == name }
    }
    #expect(findings([:]) == [])
    #expect(findings(["min.insync.replicas": "1"]).map(\.trap) == ["T8"])
    // A leader that was behind would take back what was acknowledged: not a matter of advice.
    let unclean = findings(["unclean.leader.election.enable": "true"])
    #expect(unclean.map(\.weight) == [.refused])
  }

  @Test func `another number of partitions than the log has is refused`() throws {
    let options = try Shared.broker.options { $0.partitions = 3 }
    let log = try KafkaLog(options)
    #expect(log.layout.partitions == 3)
    log.close()
    var other = options
    other.partitions = 2
    #expect(throws: LogError.self) { try KafkaLog(other) }
    other.partitions = nil
    let again = try KafkaLog(other)
    #expect(again.layout.partitions == 3)
    again.close()
  }

  @Test(arguments: [
    "enable.idempotence", "isolation.level", "acks", "transactional.id", "metadata.broker.list",
    "delivery.report.only.error",
  ])
  func `a property that the log relies on may not be set`(_ name: String) throws {
    let options = try Shared.broker.options { $0.properties = [name: "1"] }
    let error = #expect(throws: LogError.self) { try KafkaLog(options) }
    #expect("\(String(describing: error))".contains(name))
  }

  @Test(arguments: [1, 2, 10, 300])
  func `clients can be made whatever time an append may take`(_ seconds: Int) throws {
    let options = try Shared.broker.options {
      $0 = KafkaLog.Options(brokers: $0.brokers)
      $0.appendTimeout = .seconds(seconds)
    }
    let properties = try KafkaProperties(options)
    _ = try Client(.producer, properties.producer)
    _ = try Client(.producer, properties.transactor(id: "x"))
    _ = try Client(.consumer, properties.follower)
    #expect(options.sendTimeout < options.appendTimeout)
    #expect(options.requestTimeout * 2 <= options.appendTimeout)
  }

  @Test func `properties reach librdkafka, and bad ones are named`() throws {
    let good = try Shared.broker.options {
      $0.properties = ["socket.nagle.disable": "true", "linger.ms": "1"]
    }
    try KafkaLog(good).close()
    let bad = try Shared.broker.options { $0.properties = ["no.such.property": "1"] }
    let error = #expect(throws: LogError.self) { try KafkaLog(bad) }
    #expect("\(String(describing: error))".contains("no.such.property"))
  }

  @Test(arguments: [
    "security.protocol", "sasl.mechanisms", "ssl.ca.location", "ssl.certificate.location",
    "ssl.key.pem", "ssl.keystore.location", "linger.ms", "no.such.property", "acks",
  ])
  func `what a property was set to is in no error`(_ name: String) throws {
    var options = KafkaLog.Options(brokers: "127.0.0.1:1")
    options.properties = [
      name: "/nowhere/s3cret", "sasl.username": "anna", "sasl.password": "s3cret-too",
      "ssl.key.password": "s3cret-three",
    ]
    if name.hasPrefix("ssl.") { options.properties["security.protocol"] = "ssl" }
    let error = #expect(throws: LogError.self) { try KafkaLog(options) }
    #expect(!"\(String(describing: error))".contains("s3cret"), "\(String(describing: error))")
  }

  @Test func `a broker that is not there is an error with the address`() throws {
    var options = KafkaLog.Options(brokers: "127.0.0.1:1")
    options.requestTimeout = .milliseconds(500)
    let error = #expect(throws: LogError.self) { try KafkaLog(options) }
    #expect("\(String(describing: error))".contains("kafka://127.0.0.1:1"))
  }
}
