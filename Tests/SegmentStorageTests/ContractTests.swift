import EventLogContract
import EventStorage
import Foundation
import Synchronization
import Testing

@testable import SegmentStorage

/// The contract that every log keeps, on disk (law 17).
@Suite struct ContractTests {
  private typealias Contract = EventLogContract<SegmentedLog>

  /// Logs in folders of their own under one folder that goes with the test.
  private final class Folders: Sendable {
    let root = FileManager.default.temporaryDirectory
      .appendingPathComponent("signalbox-\(UUID().uuidString)").path
    private let paths = Mutex<[LogIdentity: String]>([:])

    func open() throws -> SegmentedLog {
      try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
      let path = "\(root)/\(UUID().uuidString)"
      let log = try SegmentedLog(opening: path, options: options)
      paths.withLock { $0[log.identity] = path }
      return log
    }

    func reopen(_ log: SegmentedLog) throws -> SegmentedLog {
      log.close()
      return try SegmentedLog(
        opening: paths.withLock { $0[log.identity] } ?? "", options: options)
    }

    private var options: SegmentedLog.Options {
      var options = SegmentedLog.Options()
      options.now = { Contract.time }
      return options
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }
  }

  @Test(arguments: Contract.checks.indices)
  func `the log on disk keeps the contract`(_ index: Int) async throws {
    let folders = Folders()
    try await Contract.checks[index].run(Contract(opening: { try folders.open() }))
  }

  @Test(arguments: Contract.restartChecks.indices)
  func `the log on disk keeps it across a restart`(_ index: Int) async throws {
    let folders = Folders()
    try await Contract.restartChecks[index].run(
      Contract(opening: { try folders.open() }, reopening: { try folders.reopen($0) }))
  }
}
