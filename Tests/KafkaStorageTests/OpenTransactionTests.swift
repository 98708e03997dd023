import EventStorage
import Testing

@testable import KafkaStorage

/// What lies behind somebody's open transaction cannot be read yet.
@Suite struct OpenTransactionTests {
  /// Law 18. An earlier try may lie behind it: so none is written until that is known.
  @Test func `an append with a key waits for a foreign transaction, and is there once`()
    async throws
  {
    let options = try Shared.broker.options { $0.appendTimeout = .seconds(3) }
    let log = try KafkaLog(options)
    defer { log.close() }
    _ = try await log.append(batch("before"), to: messages)
    let foreign = try await onThread {
      let client = try Client(
        .producer, KafkaProperties(options).transactor(id: "\(options.prefix).foreign"),
        reports: .unheard)
      try client.initTransactions(within: .seconds(10))
      try client.beginTransaction()
      unsafe try client.produce(
        NewRecord(key: Array("foreign".utf8), value: []),
        to: try client.topic(options.topic(.messages)), 0, timestamp: milliseconds(),
        header: AppendHeader(id: .init(instance: 1, number: 1), following: 0), opaque: 0)
      client.flush(within: .seconds(10))
      return client
    }
    for _ in 0..<2 {
      await #expect {
        try await log.append(batch("mine", idempotencyKey: "k"), to: messages)
      } throws: { error in
        if case .unavailable? = error as? LogError { true } else { false }
      }
    }
    try await onThread { try foreign.commitTransaction(within: .seconds(10)) }
    let appended = try await log.append(batch("mine", idempotencyKey: "k"), to: messages)
    #expect(!appended.isRepeat)
    #expect(try log.all(messages).filter { $0.key == "mine" }.count == 1)
  }
}
