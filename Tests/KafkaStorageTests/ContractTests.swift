import EventLogContract
import EventStorage
import KafkaStorage
import Synchronization
import Testing

/// The contract that every log keeps, on a real broker (law 17).
@Suite struct ContractTests {
  private typealias Contract = EventLogContract<KafkaLog>

  /// Logs under prefixes of their own on the shared broker.
  private final class Logs: Sendable {
    private let options = Mutex<[LogIdentity: KafkaLog.Options]>([:])

    func open() throws -> KafkaLog {
      let options = try Shared.broker.options { $0.now = { Contract.time } }
      let log = try KafkaLog(options)
      self.options.withLock { $0[log.identity] = options }
      return log
    }

    func reopen(_ log: KafkaLog) throws -> KafkaLog {
      log.close()
      guard let options = options.withLock({ $0[log.identity] }) else { return log }
      return try KafkaLog(options)
    }
  }

  @Test(arguments: Contract.checks.indices)
  func `the log on Kafka keeps the contract`(_ index: Int) async throws {
    let logs = Logs()
    try await Contract.checks[index].run(Contract(opening: { try logs.open() }))
  }

  @Test(arguments: Contract.restartChecks.indices)
  func `the log on Kafka keeps it across a restart`(_ index: Int) async throws {
    let logs = Logs()
    try await Contract.restartChecks[index].run(
      Contract(opening: { try logs.open() }, reopening: { try logs.reopen($0) }))
  }
}
