import EventStorage
import Events
import Logging
import Projections
import ServiceLifecycle
import Testing

@testable import Runtime

@Suite struct ControllerTests {
  private let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 2))

  private func ask(_ node: String, _ value: [UInt8]) async throws {
    let id = try NodeID(node)
    _ = try await log.append(
      AppendBatch([NewRecord(key: EventKey.observation(id).bytes, value: value)], timestamp: 1),
      to: Partition(.observations, Slot(node: id).partition(of: 2)))
  }

  /// Runs a controller until the directory is as wanted.
  private func lead(until isWanted: @escaping @Sendable ([NodeEntry]) -> Bool) async throws {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let controller = Controller(of: log, logger: logger)
    let group = ServiceGroup(
      configuration: ServiceGroupConfiguration(services: [controller], logger: logger))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      let log = log
      // The facts themselves: what the controller saw of them may be a look behind.
      while !isWanted(try directory(log).state.nodes) {
        _ = log.waitForRecords(
          in: Partition(.topology, 0), after: try log.bounds(of: Partition(.topology, 0)).end,
          for: .milliseconds(10))
        await Task.yield()
      }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
  }

  private func directory(_ log: MemoryLog) throws -> Fold<Directory> {
    var fold = Fold<Directory>(Partition(.topology, 0))
    try fold.catchUp(with: log)
    return fold
  }

  @Test(.timeLimit(.minutes(1)))
  func `joins and leaves become facts once, whoever leads and how often`() async throws {
    let join = EventType.joinRequest(capacity: 3, url: "")
    for node in ["a", "b", "c"] { try await ask(node, join) }
    try await lead { $0.map(\.state) == [1, 1, 1] }
    let facts = try directory(log).state.counts.records
    try await ask("b", EventType.leaveRequest(incarnation: 0))
    // Another one takes over: it finds what was decided, and decides the rest.
    try await lead { $0.map(\.state) == [1, 4, 1] }
    #expect(try directory(log).state.counts.records == facts + 1)
    try await ask("b", join)
    try await lead { $0.map(\.state) == [1, 1, 1] }
    #expect(try directory(log).state.nodes.map(\.capacity) == [3, 3, 3])
  }
}
