package import EventStorage

/// The contract of `EventLog` as checks that throw, so that plain tests and properties can use them alike.
///
///     static let contract = EventLogContract(opening: { MemoryLog(…) })
///     @Test(arguments: EventLogContract<MemoryLog>.checks)
///     func `the log keeps its contract`(_ check: …) async throws { try await check.run(contract) }
///
/// Every record that a check appends has a key of its own and a time near `Sample.time`, so that a log may compact
/// in the background as it likes.
package struct EventLogContract<Log: EventLog>: Sendable {
  /// One law of the contract.
  package struct Check: Sendable, CustomStringConvertible {
    package let description: String
    package let run: @Sendable (EventLogContract) async throws -> Void
  }

  private let opening: @Sendable () async throws -> Log
  private let reopening: (@Sendable (Log) async throws -> Log)?

  /// - Parameters:
  ///   - opening: makes a new, empty log with at least two partitions.
  ///   - reopening: closes a log and opens it again, as a restart does; nil when nothing survives one.
  package init(
    opening: @escaping @Sendable () async throws -> Log,
    reopening: (@Sendable (Log) async throws -> Log)? = nil
  ) {
    self.opening = opening
    self.reopening = reopening
  }

  /// When the records were written, in milliseconds since 1970: what goes by its age is young to a log that takes this for now.
  package static var time: Int64 { Sample.time }

  /// What every log keeps.
  package static var checks: [Check] {
    appendChecks + readChecks + limitChecks + idempotencyChecks + fencingChecks + waitChecks
      + concurrencyChecks + closeChecks
  }

  /// What a log keeps across a restart, besides. Needs `reopening`.
  package static var restartChecks: [Check] {
    [
      Check(description: "records, bounds and identity survive a restart") {
        try await $0.recordsSurviveARestart()
      },
      Check(description: "idempotency keys survive a restart (law 18)") {
        try await $0.idempotencyKeysSurviveARestart()
      },
      Check(description: "fencing survives a restart (law 16)") {
        try await $0.fencingSurvivesARestart()
      },
      Check(description: "time does not go back over a restart") {
        try await $0.timeDoesNotGoBackOverARestart()
      },
      Check(description: "what was acknowledged before a close is there once (law 13)") {
        try await $0.acknowledgedRecordsSurviveAClose()
      },
    ]
  }

  func withLog(_ body: (Log) async throws -> Void) async throws {
    let log = try await opening()
    defer { log.close() }
    try expect(
      log.layout.partitions >= 2, "the contract needs a log with at least two partitions")
    try await body(log)
  }

  func withReopened(_ log: Log, _ body: (Log) async throws -> Void) async throws {
    guard let reopening else {
      throw ContractFailure(description: "a restart check needs the closure `reopening`")
    }
    let reopened = try await reopening(log)
    defer { reopened.close() }
    try await body(reopened)
  }
}

/// Partitions and records that the checks use.
enum Sample {
  static let partition = Partition(.messages, 0)
  static let other = Partition(.messages, 1)
  /// November 2023.
  static let time: Int64 = 1_700_000_000_000

  /// Records with keys and values that begin with `name`.
  static func records(_ name: String, _ count: Int) -> [NewRecord] {
    (0..<count).map { index in
      NewRecord(key: Array("\(name)/\(index)".utf8), value: Array("\(name) \(index)".utf8))
    }
  }

  static func batch(
    _ name: String, _ count: Int = 1, time: Int64 = time, idempotencyKey: String? = nil,
    writer: Writer? = nil
  ) -> AppendBatch {
    AppendBatch(
      records(name, count), timestamp: time, idempotencyKey: idempotencyKey, writer: writer)
  }
}
