import Decisions
import EventStorage
import Events
import Logging
import Projections
import ServiceLifecycle
import Synchronization

/// Turns what nodes ask for into facts, as the one writer of topology that the log lets in (law 16). It decides with what it has read
/// alone, so a controller that was paused accuses nobody and writes nothing that anyone sees.
final class Controller<Log: EventLog>: Service {
  /// The writer of topology, whoever it is at the moment.
  static var writerID: Int64 { 1 }
  /// How long one look at the observations waits for more, all partitions together.
  static var glance: Duration { .milliseconds(100) }
  /// After an error of the log, before trying again.
  static var pause: Duration { .seconds(1) }

  private struct Folds {
    var topology: Fold<Directory>
    var requests: [Fold<MembershipRequests>]
  }

  private let log: Log
  private let logger: Logger
  private let folds: Mutex<Folds>
  private let isStopped = Atomic(false)

  init(of log: Log, logger: Logger) {
    self.log = log
    self.logger = logger
    folds = Mutex(
      Folds(
        topology: Fold(Partition(.topology, 0)),
        requests: log.layout.partitions(of: .observations).map { Fold($0) }))
  }

  /// The nodes as topology has them, as far as it was read.
  var directory: Fold<Directory> { folds.withLock { $0.topology } }

  /// Leads until graceful shutdown, or until another service has failed.
  func run() async throws {
    await withTaskCancellationOrGracefulShutdownHandler {
      while !isStopped.load(ordering: .relaxed) {
        do throws(LogError) {
          try await lead()
        } catch {
          if case .closed = error { return }
          logger.error("the controller starts over: \(error)")
          try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
        }
      }
    } onCancelOrGracefulShutdown: { [self] in
      isStopped.store(true, ordering: .relaxed)
    }
  }

  /// Writes facts as they follow from requests, until stopped. Ends with `.fenced` when another life of the writer is in.
  private func lead() async throws(LogError) {
    let partition = Partition(.topology, 0)
    let writer = try await log.fence(writer: Self.writerID, in: partition)
    while true {
      let result = try? await onThread("controller") { [self] in
        Result { () throws(LogError) in try nextFacts() }
      }
      guard let facts = try result?.get(), !facts.isEmpty else { return }
      for fact in facts {
        _ = try await log.append(
          AppendBatch(
            [NewRecord(key: fact.key.bytes, value: fact.value)], timestamp: wallClock(),
            idempotencyKey: fact.name, writer: writer),
          to: partition)
        logger.info("\(fact.name)")
      }
    }
  }

  /// Reads on until something follows from it; nothing when stopped. Blocks.
  private func nextFacts() throws(LogError) -> [Fact] {
    var folds = folds.withLock { $0 }
    while !isStopped.load(ordering: .relaxed) {
      try folds.topology.catchUp(with: log)
      for index in folds.requests.indices {
        // What retention has taken is older than any request that matters.
        let start = try log.bounds(of: folds.requests[index].partition).start
        if folds.requests[index].position < start {
          let fold = folds.requests[index]
          folds.requests[index] = Fold(fold.partition, state: fold.state, position: start)
        }
        try folds.requests[index].catchUp(with: log)
      }
      let seen = folds
      self.folds.withLock { $0 = seen }
      let facts = Membership.facts(of: folds.requests.map(\.state), in: folds.topology.state)
      if !facts.isEmpty { return facts }
      let wait = max(Self.glance / folds.requests.count, .milliseconds(5))
      // Whichever has more first ends the look.
      _ = folds.requests.first {
        log.waitForRecords(in: $0.partition, after: $0.position, for: wait)
      }
    }
    return []
  }
}
