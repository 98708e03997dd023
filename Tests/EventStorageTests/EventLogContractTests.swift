import EventLogContract
import EventStorage
import Testing

/// The contract is worth something only if it finds the mistakes that a log might make (law 33).
@Suite struct EventLogContractTests {
  private typealias Contract = EventLogContract<PlantedLog>

  /// The first check that a log with this mistake does not pass.
  private func firstBreach(of fault: Fault) async -> String? {
    let contract = Contract(opening: { PlantedLog(fault) }, reopening: { $0.reopened() })
    for check in Contract.checks + Contract.restartChecks {
      do { try await check.run(contract) } catch { return "\(check): \(error)" }
    }
    return nil
  }

  @Test func `a log without a mistake keeps the contract, restarts included`() async {
    #expect(await firstBreach(of: .none) == nil)
  }

  @Test(arguments: Fault.allCases.filter { $0 != .none })
  func `every planted mistake is found`(_ fault: Fault) async {
    #expect(await firstBreach(of: fault) != nil)
  }

  @Test func `a restart check without a way to restart says so`() async {
    let contract = Contract(opening: { PlantedLog(.none) })
    for check in Contract.restartChecks {
      await #expect(throws: ContractFailure.self, "\(check)") { try await check.run(contract) }
    }
  }
}
