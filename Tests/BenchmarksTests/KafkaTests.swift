import EventStorage
import Foundation
import KafkaStorage
import Testing

@testable import Benchmarks

@Suite struct KafkaTests {
  @Test func `the bare consumer reads what the log holds, and the bare producer is acknowledged`()
    async throws
  {
    let program = try #require(
      KafkaBroker.program(), "noida-db is not installed: run scripts/install.sh test")
    let folder = try WorkFolder(in: NSTemporaryDirectory())
    defer { folder.remove() }
    let broker = try KafkaBroker(program: program, folder: folder.path + "/broker")
    defer { broker.process.end() }
    var options = KafkaLog.Options(brokers: broker.address)
    options.partitions = 1
    let log = try KafkaLog(options)
    defer { log.close() }
    var events = SyntheticEvents(seed: 7, channels: 100)
    for _ in 0..<3 { _ = try await log.append(events.messages(500), to: Partition(.messages, 0)) }
    var ours = RowCounter()
    _ = try log.read(Partition(.messages, 0), from: .zero, bytesMax: 1 << 30, into: &ours)
    let read = try BareKafka.consumer(broker.address)
      .readAll("signalbox.messages", partition: 0)
    #expect(ours.rows == 1500)
    #expect(read.messages == 1500)
    let result = try BareKafka.producer(broker.address).publish(
      to: "signalbox.messages", partition: 0, inFlight: 8, payloadBytes: 100, seconds: 0.05)
    #expect(result.acknowledged > 0)
    let all = try BareKafka.consumer(broker.address).readAll("signalbox.messages", partition: 0)
    #expect(all.messages >= 1500 + result.acknowledged)
    #expect(all.messages <= 1500 + result.acknowledged + 8)
  }

  @Test func `without a broker the rows say so`() {
    let row = BenchmarkRow(
      "replay from Kafka", nil, evidence: "", missing: KafkaBroker.missing)
    #expect(BenchmarkTable.text(row).contains("not measured: install PyPI noida-db"))
    #expect(!BenchmarkTable.json(row).contains("ours"))
  }
}
