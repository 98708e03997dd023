import CRdKafka
import EventStorage
import Testing

@testable import KafkaStorage

/// Standing for election when the broker makes trouble.
@Suite struct CandidateTests {
  @Test func `a candidate whose client is of no more use goes on with another one`() async throws {
    let cluster = try MockCluster { $0.sessionTimeout = .seconds(1) }
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    let candidacy = try log.candidacy(forWriter: 1)
    defer { candidacy.withdraw() }
    #expect(try await eventually { candidacy.isElected })
    // librdkafka gives up on a producer whose records are said to be out of order.
    cluster.fail(.produce, with: [RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER])
    let client = try Client(.consumer, KafkaProperties(cluster.options).controlReader)
    func spoken() throws -> Int64 {
      try client.watermarks(of: cluster.options.controlTopic, 0, within: .seconds(5)).end.rawValue
    }
    let before = try spoken()
    // More than what was under way when it happened.
    #expect(
      try await eventually(within: .seconds(15)) {
        try spoken() > before + Int64(3 * Election.silenceMax) && candidacy.isElected
      })
  }
}
