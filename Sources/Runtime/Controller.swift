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
  private let isLeading = Atomic(false)
  private let isUnheard = Atomic(false)

  /// - Parameter topology: where its fold of topology starts: with nothing, or from a snapshot.
  init(
    of log: Log, startingAt topology: Fold<Directory> = Fold(Partition(.topology, 0)),
    logger: Logger
  ) {
    self.log = log
    self.logger = logger
    folds = Mutex(
      Folds(
        topology: topology,
        requests: log.layout.partitions(of: .observations).map { Fold($0) }))
  }

  /// The nodes as topology has them, as far as it was read.
  var directory: Fold<Directory> { folds.withLock { $0.topology } }

  /// Whether this one decides, as far as it knows.
  var leads: Bool { isLeading.load(ordering: .relaxed) }

  /// Follows topology, and leads when it is elected, until graceful shutdown or until another service has failed.
  func run() async throws {
    let candidacy = try log.candidacy(forWriter: Self.writerID)
    await withTaskCancellationOrGracefulShutdownHandler {
      defer { candidacy.withdraw() }
      var trouble: LogError?
      while !isStopped.load(ordering: .relaxed) {
        do throws(LogError) {
          while try await turn(candidacy) { trouble = nil }
        } catch {
          if case .closed = error { return }
          // Said once, however long it lasts.
          if trouble == nil { logger.warning("the controller starts over: \(error)") }
          trouble = error
          try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
        }
      }
    } onCancelOrGracefulShutdown: { [self] in
      isStopped.store(true, ordering: .relaxed)
    }
  }

  /// Follows until elected, and leads until it is not any more. Ends with `.fenced` when another life of the writer is in.
  /// - Returns: false when stopped.
  private func turn(_ candidacy: any Candidacy) async throws(LogError) -> Bool {
    guard
      try await look({ [self] in
        note(candidacy)
        return candidacy.isElected
      }) != nil
    else { return false }
    let partition = Partition(.topology, 0)
    let writer = try await log.fence(writer: Self.writerID, in: partition)
    isLeading.store(true, ordering: .relaxed)
    defer { isLeading.store(false, ordering: .relaxed) }
    logger.info("leads as writer \(writer.id) of epoch \(writer.epoch)")
    while candidacy.isElected {
      guard let facts = try await look({ !candidacy.isElected }, deciding: true) else {
        return false
      }
      for fact in facts {
        _ = try await log.append(
          AppendBatch(
            [NewRecord(key: fact.key.bytes, value: fact.value)], timestamp: wallClock(),
            idempotencyKey: fact.name, writer: writer),
          to: partition)
        logger.info("\(fact.name)")
      }
    }
    return true
  }

  /// Says once when the candidate cannot be heard, and once when it can again.
  private func note(_ candidacy: any Candidacy) {
    let trouble = candidacy.trouble
    guard isUnheard.exchange(trouble != nil, ordering: .relaxed) != (trouble != nil) else { return }
    if let trouble {
      logger.warning("this instance cannot be elected as the controller now: \(trouble)")
    } else {
      logger.notice("this instance can be elected as the controller again")
    }
  }

  /// Reads on until it is enough, or, when deciding, until something follows from what was read.
  /// - Returns: the facts that follow; nil when stopped.
  private func look(
    _ isEnough: @escaping @Sendable () -> Bool, deciding: Bool = false
  ) async throws(LogError) -> [Fact]? {
    let result = try? await onThread("controller") { [self] in
      Result { () throws(LogError) in try read(isEnough, deciding) }
    }
    return try result?.get()
  }

  /// Blocks.
  private func read(
    _ isEnough: () -> Bool, _ isDeciding: Bool
  ) throws(LogError) -> [Fact]? {
    var folds = folds.withLock { $0 }
    while !isStopped.load(ordering: .relaxed) {
      try folds.topology.catchUp(with: log)
      if isDeciding { try catchUp(&folds.requests) }
      let seen = folds
      self.folds.withLock { $0 = seen }
      if isDeciding {
        let facts = Membership.facts(of: folds.requests.map(\.state), in: folds.topology.state)
        if !facts.isEmpty { return facts }
      }
      if isEnough() { return [] }
      // Whichever has more first ends the look.
      let places =
        isDeciding
        ? folds.requests.map { ($0.partition, $0.position) }
        : [(folds.topology.partition, folds.topology.position)]
      let wait = max(Self.glance / places.count, .milliseconds(5))
      _ = places.first { log.waitForRecords(in: $0.0, after: $0.1, for: wait) }
    }
    return nil
  }

  private func catchUp(_ requests: inout [Fold<MembershipRequests>]) throws(LogError) {
    for index in requests.indices {
      let fold = requests[index]
      // What retention has taken is older than any request that matters.
      let start = try log.bounds(of: fold.partition).start
      if fold.position < start {
        requests[index] = Fold(fold.partition, state: fold.state, position: start)
      }
      try requests[index].catchUp(with: log)
    }
  }
}
