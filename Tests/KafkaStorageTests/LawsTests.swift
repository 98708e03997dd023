import EventLaws
import EventLogContract
import EventStorage
import PropertyTesting
import Testing

@testable import KafkaStorage

/// The laws of logs on a real broker, with few cases: each makes topics of its own. The broker is their own too, for it grows slow
/// with many topics.
@Suite struct LawsTests {
  private struct OnBroker: LogUnderTest {
    static let abilities: Set<LogAbility> = [.restart]
    private let options: KafkaLog.Options

    init(on broker: Broker) { options = broker.options { $0.partitions = 1 } }

    func open() async throws -> InTurn {
      let options = options
      return InTurn(try await onThread { try KafkaLog(options) })
    }
  }

  /// A case that fails is made simpler a few times only: each attempt is a life of a log on the broker.
  @Test(arguments: [LogLaw.fencing, .agreement, .idempotence])
  func `the log on Kafka keeps the laws that apply to it`(_ law: LogLaw) async throws {
    let broker = try Broker()
    let options = PropertyOptions(cases: 20, shrinksMax: 10)
    let report = try await checkLaws(ofLog: "Kafka", laws: [law], options) { OnBroker(on: broker) }
    #expect(report.skipped.isEmpty)
  }
}

/// The log on Kafka, with one append under way at a time. Of those under way together, one record and several go to the broker on ways
/// of their own, and the laws expect them in the order in which they were given.
private final class InTurn: ForwardingLog {
  let base: KafkaLog

  init(_ log: KafkaLog) { base = log }

  func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    let answer = Monitor<Result<Appended, LogError>?>(nil)
    base.append(batch, to: partition) { result in answer.change { $0 = result } }
    _ = answer.wait(for: .seconds(60)) { $0 != nil }
    completion(answer.withLock { $0 } ?? .failure(.closed))
  }
}
