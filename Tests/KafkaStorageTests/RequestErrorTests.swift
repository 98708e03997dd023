import CRdKafka
import EventStorage
import Testing

@testable import KafkaStorage

/// One request is answered with an error, of every class that librdkafka makes of errors: what the append is answered, what is in the
/// log then, and whether the next append works.
@Suite struct RequestErrorTests {
  /// What is appended.
  enum Append: String, Sendable {
    /// One record, by the idempotent producer.
    case plain
    /// Two records, in a transaction of this instance.
    case several
    /// One record, in a transaction of a writer.
    case fenced
  }

  enum Answer: String, Sendable {
    /// Waited for until it passed.
    case appended
    /// Nothing was appended, and that is certain.
    case refused
    /// Nobody can know.
    case unknown
    /// Somebody newer writes.
    case outdated
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var append: Append
    var request: MockCluster.Request
    var error: rd_kafka_resp_err_t
    /// What it is answered. librdkafka's cluster shows what is not committed: when a commit fails, it depends on whether that is read
    /// back before the append is given up.
    var answer: Answer
    /// Whether the life that appends is over then.
    var isOver = false

    var testDescription: String {
      "\(append.rawValue), \(request) \(String(cString: rd_kafka_err2name(error))): \(answer.rawValue)"
    }
  }

  static func cases(
    _ append: Append, _ request: MockCluster.Request, _ answer: Answer, isOver: Bool = false,
    _ errors: rd_kafka_resp_err_t...
  ) -> [Case] {
    errors.map {
      Case(append: append, request: request, error: $0, answer: answer, isOver: isOver)
    }
  }

  /// Each class with those errors of it that brokers answer this request with.
  static let produce =
    cases(
      .plain, .produce, .appended, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
      RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR__TRANSPORT)
    + cases(
      .plain, .produce, .refused, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_INVALID_RECORD,
      RD_KAFKA_RESP_ERR_POLICY_VIOLATION)
    + cases(
      .plain, .produce, .unknown, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
      RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER)
    + cases(
      .several, .produce, .appended, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__TRANSPORT)
    + cases(
      .several, .produce, .refused, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
      RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID)
    + cases(
      .fenced, .produce, .refused, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
      RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER)

  @Test(arguments: produce)
  func `an error on producing`(_ one: Case) async throws { try await run(one) }

  static let commit =
    [Append.several, .fenced].flatMap { append in
      cases(
        append, .endTransaction, .appended, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
        RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS,
        RD_KAFKA_RESP_ERR_NOT_COORDINATOR, RD_KAFKA_RESP_ERR__TRANSPORT)
        + cases(
          append, .endTransaction, .refused, RD_KAFKA_RESP_ERR_UNKNOWN_PRODUCER_ID,
          RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING)
        + cases(
          append, .addPartitions, .appended, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
          RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        + cases(
          append, .addPartitions, .refused, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
          RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING)
    }
    + cases(
      .several, .endTransaction, .refused, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE,
      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED)
    + cases(
      .fenced, .endTransaction, .refused, RD_KAFKA_RESP_ERR_INVALID_TXN_STATE,
      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    + cases(
      .fenced, .endTransaction, .outdated, isOver: true, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH)

  @Test(arguments: commit)
  func `an error on committing`(_ one: Case) async throws { try await run(one) }

  static let fetch = cases(
    .plain, .fetch, .appended, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
    RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
    RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH)

  @Test(arguments: fetch)
  func `an error on reading back`(_ one: Case) async throws { try await run(one) }

  private func run(_ one: Case) async throws {
    let cluster = try MockCluster {
      $0.appendTimeout = .seconds(8)
      $0.requestTimeout = .seconds(3)
    }
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    let writer = one.append == .fenced ? try await log.fence(writer: 1, in: messages) : nil
    func appending(_ key: String) -> AppendBatch {
      AppendBatch(
        one.append == .several ? [record(key, "1"), record(key, "2")] : [record(key, "1")],
        timestamp: milliseconds(), writer: writer)
    }
    _ = try await log.append(appending("first"), to: messages)
    // The answer should not come from reading back what is not committed, as long as the commit waits for its own.
    if one.request == .endTransaction {
      let errors = Array(repeating: RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, count: 40)
      cluster.fail(.fetch, with: errors)
    }
    cluster.fail(one.request, with: [one.error])
    let answer = try await answer(to: appending("second"), by: log)
    let showsUncommitted = one.request == .endTransaction
    #expect(answer == one.answer || showsUncommitted && one.answer != .appended)
    // The next one goes through, but for a life that is over.
    if let writer, one.isOver {
      await #expect(throws: LogError.fenced(writer: writer, current: writer.epoch + 1)) {
        try await log.append(appending("late"), to: messages)
      }
      let next = try await log.fence(writer: 1, in: messages)
      _ = try await log.append(batch("third", writer: next), to: messages)
    } else {
      #expect(
        try await eventually { (try? await log.append(appending("third"), to: messages)) != nil })
    }
    let seen = Dictionary(grouping: try log.all(messages), by: \.key).mapValues(\.count)
    let each = one.append == .several ? 2 : 1
    #expect(seen["first"] == each)
    #expect((seen["third"] ?? 0) >= each)
    #expect(seen["late"] == nil)
    // Nor does this cluster undo what is not committed.
    #expect(seen["second"] == (answer == .appended || showsUncommitted ? each : nil))
  }

  private func answer(to batch: AppendBatch, by log: KafkaLog) async throws -> Answer {
    do {
      _ = try await log.append(batch, to: messages)
      return .appended
    } catch {
      switch error {
      case .unavailable: return .refused
      case .outcomeUnknown: return .unknown
      case .fenced: return .outdated
      default: throw error
      }
    }
  }

  @Test(arguments: [Append.several, .fenced])
  func `a commit whose answer is lost is found out, and the next append goes through`(
    _ append: Append
  ) async throws {
    let cluster = try MockCluster {
      $0.appendTimeout = .seconds(2)
      $0.requestTimeout = .seconds(1)
    }
    let log = try KafkaLog(cluster.options)
    defer { log.close() }
    let writer = append == .fenced ? try await log.fence(writer: 1, in: messages) : nil
    _ = try await log.append(batch("first", writer: writer), to: messages)
    for broker in Int32(1)...3 { cluster.delay(.endTransaction, at: broker, milliseconds: 8_000) }
    let several = AppendBatch(
      [record("second", "1"), record("second", "2")], timestamp: 1, writer: writer)
    let began = ContinuousClock.now
    _ = try? await log.append(several, to: messages)
    #expect(.now - began < .seconds(3))
    #expect(
      try await eventually {
        (try? await log.append(batch("third", writer: writer), to: messages)) != nil
      })
    #expect(try log.all(messages).count { $0.key == "second" } == 2)
  }
}
