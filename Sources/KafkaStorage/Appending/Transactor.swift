internal import EventStorage

/// Appends in transactions, on one client with a transactional id, and one thread.
///
/// For appends of several records, which become visible together or not at all; and for the lives of one writer in one partition, of
/// which the broker lets the newest in only (law 16). What waits goes into one transaction: group commit.
final class Transactor: Sendable {
  /// Whom it writes for.
  enum Owner: Sendable {
    /// This instance of the log; no other has its id.
    case instance
    /// Every life of this writer, at whatever instance, has the same id.
    case writer(Int64, Partition)
  }

  typealias Fenced = @Sendable (Result<Writer, LogError>) -> Void

  /// Larger groups are sent in several transactions.
  static let groupBytesMax = LogLimits.batchBytesMax
  static let groupRecordsMax = LogLimits.batchRecordsMax

  struct Shared {
    var appends: [UInt64] = []
    var fences: [Fenced] = []
    var isClosed = false
    var isRunning = false
  }

  let owner: Owner
  let id: String
  let options: KafkaLog.Options
  let properties: KafkaProperties
  let appends: PendingAppends
  let tails: TailReader
  let control: ControlTopic
  let shared = Monitor<Shared>(Shared())

  init(
    _ owner: Owner, id: String, _ options: KafkaLog.Options, _ properties: KafkaProperties,
    _ appends: PendingAppends, _ tails: TailReader, _ control: ControlTopic
  ) {
    self.owner = owner
    self.id = id
    self.options = options
    self.properties = properties
    self.appends = appends
    self.tails = tails
    self.control = control
  }

  func send(_ number: UInt64) {
    let isTaken = shared.change { shared in
      if !shared.isClosed { shared.appends.append(number) }
      return !shared.isClosed
    }
    if isTaken { start() } else { appends.answer(number, .failure(.closed)) }
  }

  func fence(_ completion: @escaping Fenced) {
    let isTaken = shared.change { shared in
      if !shared.isClosed { shared.fences.append(completion) }
      return !shared.isClosed
    }
    if isTaken { start() } else { completion(.failure(.closed)) }
  }

  private func start() {
    let isFirst = shared.withLock { shared in
      defer { shared.isRunning = true }
      return !shared.isRunning
    }
    if isFirst {
      startThread(for: "transactions of \(id)") {
        var thread = TransactorThread(self)
        thread.run()
      }
    }
  }

  /// What waits is refused; what is under way is finished, and the thread ends.
  func close() {
    let (waiting, fences) = shared.change { shared in
      defer {
        shared.isClosed = true
        shared.appends = []
        shared.fences = []
      }
      return (shared.appends, shared.fences)
    }
    for number in waiting { appends.answer(number, .failure(.closed)) }
    for fence in fences { fence(.failure(.closed)) }
  }

  func waitUntilEnded(for duration: Duration) {
    _ = shared.wait(for: duration) { !$0.isRunning }
  }
}
