import EventLaws
import EventStorage
import PropertyTesting
import Testing

@testable import KafkaStorage

/// The laws of logs on a real broker, with few cases: each makes topics of its own.
@Suite struct LawsTests {
  private struct OnBroker: LogUnderTest {
    static let abilities: Set<LogAbility> = [.restart]
    private let options: KafkaLog.Options

    init() throws { options = try Shared.broker.options { $0.partitions = 1 } }

    func open() async throws -> InTurn {
      let options = options
      return InTurn(try await onThread { try KafkaLog(options) })
    }
  }

  /// A case that fails is made simpler a few times only: each attempt is a life of a log on the broker.
  @Test(arguments: [LogLaw.fencing, .agreement, .idempotence])
  func `the log on Kafka keeps the laws that apply to it`(_ law: LogLaw) async throws {
    let options = PropertyOptions(cases: 40, shrinksMax: 10)
    let report = try await checkLaws(ofLog: "Kafka", laws: [law], options) { try OnBroker() }
    #expect(report.skipped.isEmpty)
  }
}

/// The log on Kafka, with one append under way at a time. Of those under way together, one record and several go to the broker on ways
/// of their own, and the laws expect them in the order in which they were given.
private final class InTurn: EventLog {
  private let log: KafkaLog

  init(_ log: KafkaLog) { self.log = log }

  var identity: LogIdentity { log.identity }
  var layout: LogLayout { log.layout }

  func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    let answer = Monitor<Result<Appended, LogError>?>(nil)
    log.append(batch, to: partition) { result in answer.change { $0 = result } }
    _ = answer.wait(for: .seconds(60)) { $0 != nil }
    completion(answer.withLock { $0 } ?? .failure(.closed))
  }

  func fence(writer id: Int64, in partition: Partition) async throws(LogError) -> Writer {
    try await log.fence(writer: id, in: partition)
  }

  func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    try log.bounds(of: partition)
  }

  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    try log.read(partition, from: offset, bytesMax: bytesMax, into: &sink)
  }

  func tailStart(of partition: Partition, bytesMax: Int) throws(LogError) -> Offset {
    try log.tailStart(of: partition, bytesMax: bytesMax)
  }

  func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool {
    log.waitForRecords(in: partition, after: offset, for: duration)
  }

  func close() { log.close() }
}
