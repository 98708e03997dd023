import CRdKafka
import EventStorage
import Testing

@testable import KafkaStorage

/// Errors of every class, as a broker would answer them.
@Suite struct MockTests {
  private func underLoad(
    _ cluster: MockCluster, _ fault: @escaping @Sendable () throws -> Void
  ) async throws {
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    let load = Load()
    async let loading: Void = onThread { load.run(log, everyKeyed: 10) }
    #expect(try await onThread { load.answers.wait(for: .seconds(20)) { $0.count > 500 } })
    try await onThread(fault)
    let during = load.answers.withLock { $0.count }
    #expect(
      try await onThread { load.answers.wait(for: .seconds(20)) { $0.count > during + 500 } })
    load.stop()
    try await loading
    let begun = load.begun.withLock { $0 }
    #expect(try await onThread { load.answers.wait(for: .seconds(20)) { $0.count == begun } })
    try load.check(against: log.all(messages))
    let refused = load.answers.withLock { $0.values.filter { (try? $0.get()) == nil } }
    #expect(refused.isEmpty, "\(refused.count): \(refused.prefix(2))")
  }

  @Test func `brokers that go down and come up again under load lose and double nothing (law 13)`()
    async throws
  {
    let cluster = try MockCluster()
    try await underLoad(cluster) {
      for broker in Int32(1)...3 { cluster.setDown(broker) }
      for broker in Int32(1)...3 { cluster.setUp(broker) }
    }
  }

  @Test func `changes of the leader under load lose and double nothing (law 13)`() async throws {
    let cluster = try MockCluster()
    try await underLoad(cluster) {
      for round in 0..<4 { cluster.lead(messages, by: Int32(1 + round % 3)) }
    }
  }

  @Test func `errors that pass are waited for, on producing and on fetching`() async throws {
    let cluster = try MockCluster()
    let passing = [
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__TRANSPORT,
    ]
    try await underLoad(cluster) {
      cluster.fail(.produce, with: passing)
      cluster.fail(
        .fetch,
        with: [
          RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
          RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__TRANSPORT,
        ])
      cluster.fail(.listOffsets, with: [RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION])
    }
  }

  @Test(arguments: [
    (RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "AUTHORIZATION"),
    (RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, "max.message.bytes"),
    (RD_KAFKA_RESP_ERR_INVALID_RECORD, "INVALID_RECORD"),
  ])
  func `a record that the broker refuses is refused, with the reason, and later ones go through`(
    _ refusal: rd_kafka_resp_err_t, _ reason: String
  ) async throws {
    let cluster = try MockCluster()
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    _ = try await log.append(batch("a"), to: messages)
    cluster.fail(.produce, with: [refusal])
    let error = await #expect(throws: LogError.self) {
      try await log.append(batch("b"), to: messages)
    }
    #expect("\(String(describing: error))".contains(reason))
    // It is the record that is refused: nothing has stopped.
    #expect(error?.isStop == false)
    if refusal == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE {
      guard case .tooLarge = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
    #expect(try await eventually { (try? await log.append(batch("c"), to: messages)) != nil })
    #expect(try log.all(messages).map(\.key) == ["a", "c"])
  }

  @Test func `after a fatal error the producer is made again`() async throws {
    let cluster = try MockCluster()
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    _ = try await log.append(batch("a"), to: messages)
    // The producer is told that its first record in a row is out of order: librdkafka gives up on it.
    cluster.fail(.produce, with: [RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER])
    _ = try? await log.append(batch("b"), to: messages)
    #expect(
      try await eventually { (try? await log.append(batch("c"), to: messages)) != nil })
    #expect(try log.all(messages).map(\.key).contains("c"))
  }

  @Test func `with a long way to the broker everything works, later`() async throws {
    let cluster = try MockCluster()
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    _ = try await log.append(batch("a"), to: messages)
    cluster.setRoundTrip(200)
    let elapsed = try await ContinuousClock().measure {
      _ = try await log.append(batch("b"), to: messages)
      _ = try await log.append(batch("c", idempotencyKey: "k"), to: messages)
      _ = try await log.append(
        AppendBatch([record("d", "1"), record("e", "2")], timestamp: 1), to: messages)
    }
    #expect(elapsed > .milliseconds(600))
    #expect(try log.all(messages).map(\.key) == ["a", "b", "c", "d", "e"])
  }

  @Test func `an append whose answer is lost, but that was appended, is acknowledged`() async throws
  {
    let cluster = try MockCluster { $0.appendTimeout = .seconds(1) }
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    _ = try await log.append(batch("a"), to: messages)
    // Much later than the append may take: librdkafka reports it as timed out.
    cluster.delay(.produce, at: 1, milliseconds: 4_000)
    let appended = try await log.append(batch("b"), to: messages)
    #expect(try log.all(messages).map(\.key) == ["a", "b"])
    #expect(try log.all(messages).last?.offset == appended.first)
  }

  @Test
  func `an append that was not heard of again has an unknown outcome, and its key finds it out`()
    async throws
  {
    let cluster = try MockCluster {
      $0.appendTimeout = .seconds(1)
      $0.requestTimeout = .seconds(1)
    }
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    _ = try await log.append(batch("a", idempotencyKey: "first"), to: messages)
    cluster.setRoundTrip(3_000)
    let error = await #expect(throws: LogError.self) {
      try await log.append(batch("b", "a secret"), to: messages)
    }
    // Errors go into logs: what was published does not.
    #expect(!"\(String(describing: error))".contains("secret"))
    switch error {
    case .outcomeUnknown, .unavailable: break
    default: Issue.record("\(String(describing: error))")
    }
    cluster.setRoundTrip(0)
    #expect(
      try await eventually {
        (try? await log.append(batch("c", idempotencyKey: "k"), to: messages)) != nil
      })
    let again = try await log.append(batch("c", idempotencyKey: "k"), to: messages)
    #expect(again.isRepeat)
    #expect(try log.all(messages).count { $0.key == "c" } == 1)
  }

  @Test(arguments: [
    RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
    RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR__TRANSPORT,
  ])
  func `a transaction waits for a coordinator that comes back`(
    _ error: rd_kafka_resp_err_t
  ) async throws {
    let cluster = try MockCluster()
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    let several = AppendBatch([record("a", "1"), record("b", "2")], timestamp: 1)
    cluster.fail(.endTransaction, with: [error])
    _ = try await log.append(several, to: messages)
    cluster.fail(.addPartitions, with: [RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS])
    _ = try await log.append(several, to: messages)
    #expect(try log.all(messages).count == 4)
  }

  @Test func `a writer that the broker calls fenced is told so, and its next life writes on`()
    async throws
  {
    let cluster = try MockCluster()
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    let first = try await log.fence(writer: 1, in: messages)
    _ = try await log.append(batch("a", writer: first), to: messages)
    cluster.fail(.endTransaction, with: [RD_KAFKA_RESP_ERR_PRODUCER_FENCED])
    // This cluster shows what is not committed yet, so that the append itself may seem to succeed.
    _ = try? await log.append(batch("b", writer: first), to: messages)
    await #expect(throws: LogError.fenced(writer: first, current: first.epoch + 1)) {
      try await log.append(batch("c", writer: first), to: messages)
    }
    let second = try await log.fence(writer: 1, in: messages)
    #expect(second.epoch > first.epoch)
    _ = try await log.append(batch("d", writer: second), to: messages)
    #expect(try log.all(messages).map(\.key).contains("d"))
  }

  /// The old life hears nothing of its commit for longer than an append may take. Meanwhile a newer one comes in; and what the old one
  /// then does to find out what became of its commit must not let it in again.
  @Test func `a life that a newer one followed while it waited for its commit stays out (law 16)`()
    async throws
  {
    let cluster = try MockCluster {
      $0.appendTimeout = .seconds(2)
      $0.requestTimeout = .seconds(1)
    }
    let old = try KafkaLog(cluster.options)
    let new = try KafkaLog(cluster.options)
    defer {
      old.close()
      new.close()
    }
    let first = try await old.fence(writer: 1, in: messages)
    _ = try await old.append(batch("a", writer: first), to: messages)
    for broker in Int32(1)...3 { cluster.delay(.endTransaction, at: broker, milliseconds: 6_000) }
    // This cluster shows what is not committed yet, so that the append itself may seem to succeed.
    _ = try? await old.append(batch("b", writer: first), to: messages)
    let second = try await new.fence(writer: 1, in: messages)
    let isRefused = try await eventually {
      do {
        _ = try await old.append(batch("late", writer: first), to: messages)
        Issue.record("an old life has written")
        return true
      } catch LogError.fenced(first, second.epoch) {
        return true
      } catch {
        return false
      }
    }
    #expect(isRefused)
    _ = try await new.append(batch("c", writer: second), to: messages)
    #expect(try !new.all(messages).map(\.key).contains("late"))
  }
}
