import EventLaws
import EventStorage
import Projections
import PropertyTesting
import Testing

/// Signalbox's own projections keep the laws.
@Suite struct SignalboxTests {
  /// As many as CI tries.
  private let options = PropertyOptions(cases: 2_000)

  @Test func `the channels keep the laws`() throws {
    try checkLaws(of: Channels.self, history: .messages, options)
  }

  @Test func `the directory keeps the laws`() throws {
    try checkLaws(of: Directory.self, history: .topology, options)
  }

  @Test func `the directory keeps the laws on observations`() throws {
    try checkLaws(of: Directory.self, history: .observations, options)
  }

  @Test func `the routing table keeps the laws`() throws {
    try checkLaws(of: RoutingTable.self, history: .topology, options)
  }
}
