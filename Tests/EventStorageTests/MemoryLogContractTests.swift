import EventLogContract
import EventStorage
import Testing

@Suite struct MemoryLogContractTests {
  private let contract = EventLogContract(opening: {
    MemoryLog(identity: LogIdentity(7), layout: LogLayout(partitions: 2))
  })

  @Test(arguments: EventLogContract<MemoryLog>.checks)
  func `the log in memory keeps the contract`(
    _ check: EventLogContract<MemoryLog>.Check
  ) async throws {
    try await check.run(contract)
  }
}
