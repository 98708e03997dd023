internal import EventStorage
internal import KafkaStorage

/// What `KafkaLog` does in a process, without its threads:
///
///     append ─▶ preparing ─▶ PlainAppends ─▶ cluster ─▶ ClientTail ─▶ answer
///                   └──────▶ Transactions ──────▲            └──────▶ records for readers at the end
///
/// The pure pieces are the real ones: `AppendHeader`, `AppendFolder`, `RecentKeys`, `Election`.
final class KafkaPort: LogPort {
  struct Pending {
    var batch: AppendBatch
    var partition: Partition
    var deadline: VirtualTime
    /// Nothing of it has been sent.
    var isUnsent = true
    /// Where the leader has reported it, before it was read.
    var reported: Offset?
    /// Who waits for it: requests of the process, and which appends these were.
    var waiting: [(request: UInt64, append: UInt64)]
  }

  struct Claim: Hashable {
    var partition: Partition
    var key: String
  }

  let id: ProcessID
  unowned let world: World
  let cluster: Cluster
  let connection: KafkaConnection
  var settings: ClusterSettings { cluster.settings }
  private(set) var tails: [ClientTail] = []
  /// By number. Gone through in the order of the numbers only.
  var pending: [UInt64: Pending] = [:]
  var claims: [Claim: UInt64] = [:]
  private var lastAppend: UInt64 = 0
  /// Of this life: appends of others are told apart by it.
  private(set) var instance: UInt64 = 0
  private(set) lazy var plain = PlainAppends(self)
  private var transactions: [String: Transactions] = [:]
  private var candidate: Candidate?
  var parked: ParkedFetch?
  var ranging: Set<Partition> = []
  var isRenewing = false
  /// Partitions of which it is known where following begins.
  var begun: Set<Partition> = []

  init(of id: ProcessID, at cluster: Cluster, in world: World) {
    self.id = id
    self.cluster = cluster
    self.world = world
    connection = KafkaConnection(of: id, in: world)
    world.connections.append(connection)
  }

  // MARK: Lives

  func start() {
    connection.reset()
    transactions = [:]
    candidate = nil
    pending = [:]
    claims = [:]
    parked = nil
    ranging = []
    isRenewing = false
    begun = []
    lastAppend = 0
    instance = world.newRequest()
    plain = PlainAppends(self)
    tails = world.oracle.layout.all.map { ClientTail($0, settings) }
    follow(tails.map(\.partition))
    turn()
    settleOverdue()
  }

  func stand() { candidate = Candidate(self) }
  var isElected: Bool? { candidate?.isElected ?? false }

  func receive(_ answer: KafkaAnswer, to call: UInt64) { connection.receive(answer, to: call) }
  func wake(_ call: UInt64) { connection.wake(call) }

  func tail(of partition: Partition) -> ClientTail {
    guard let tail = tails.first(where: { $0.partition == partition }) else {
      preconditionFailure("\(partition) is not in the layout")
    }
    return tail
  }

  // MARK: Requests

  func ask(_ request: LogRequest, _ number: UInt64) {
    switch request {
    case .append(let batch, let partition): append(batch, to: partition, number)
    case .fence(let writer, let partition):
      transactions(ofWriter: writer, in: partition).fence { [weak self] result in
        self?.tell(.fenced(result), number)
      }
    case .describe: describe(number)
    case .fetch(let wanted): fetch(wanted, number)
    }
  }

  /// Answers the process that this is a part of.
  func tell(_ answer: LogAnswer, _ number: UInt64) {
    world.deliver(.logAnswer(answer), from: id, to: id, at: world.now, request: number)
  }

  private func append(_ batch: AppendBatch, to partition: Partition, _ request: UInt64) {
    lastAppend += 1
    let number = lastAppend
    pending[number] = Pending(
      batch: batch, partition: partition, deadline: world.now + ClusterSettings.appendTimeout,
      waiting: [(request, number)])
    world.oracle.attempt(header(number), batch, in: partition)
    if batch.writer != nil, batch.idempotencyKey == nil {
      send(number)
    } else if batch.idempotencyKey != nil || !tail(of: partition).isReady {
      prepare(number)
    } else {
      send(number)
    }
  }

  /// On its way: to a producer of its own, or in a transaction.
  func send(_ number: UInt64) {
    guard let append = pending[number] else { return }
    if append.batch.records.count == 1, append.batch.writer == nil {
      plain.send(number)
    } else if let writer = append.batch.writer {
      transactions(ofWriter: writer.id, in: append.partition).send(number)
    } else {
      transactions(named: "instance/\(instance)", of: .instance).send(number)
    }
  }

  private func transactions(ofWriter id: Int64, in partition: Partition) -> Transactions {
    transactions(named: ControlRecord.key(id, partition), of: .writer(id, partition))
  }

  private func transactions(named name: String, of owner: Transactions.Owner) -> Transactions {
    if let known = transactions[name] { return known }
    let made = Transactions(self, named: name, of: owner)
    transactions[name] = made
    return made
  }

  // MARK: Answers

  func header(_ number: UInt64) -> AppendHeader.ID {
    AppendHeader.ID(instance: instance, number: number)
  }

  /// Answers an append, once: later answers are too late and do nothing.
  func answer(_ number: UInt64, _ result: Result<Appended, LogError>) {
    guard let append = pending.removeValue(forKey: number) else { return }
    if let key = append.batch.idempotencyKey {
      let claim = Claim(partition: append.partition, key: key)
      if claims[claim] == number { claims[claim] = nil }
    }
    for (place, waiting) in append.waiting.enumerated() {
      // Those that share the answer of another are repeats of it.
      let shared =
        place == 0
        ? result : result.map { Appended(first: $0.first, end: $0.end, isRepeat: true) }
      world.check { () throws(Broken) in
        try world.oracle.acknowledge(
          header(waiting.append), in: append.partition, shared)
      }
      world.note((try? result.get())?.first.rawValue ?? -1)
      tell(.appended(shared), waiting.request)
    }
  }

  /// Answers what is overdue. What was never sent is refused; what the leader has reported is acknowledged, for it is durable, unless it
  /// has a key that an earlier append may have; of all else nobody can know.
  private func settleOverdue() {
    for number in pending.keys.sorted() {
      guard let append = pending[number], append.deadline < world.now else { continue }
      let detail = "it was not read back"
      if append.batch.idempotencyKey == nil, let first = append.reported {
        world.oracle.counts.unreadAnswers += 1
        let end = Offset(first.rawValue + Int64(append.batch.records.count))
        answer(number, .success(Appended(first: first, end: end)))
      } else {
        answer(
          number,
          .failure(
            append.isUnsent ? .unavailable(detail: detail) : .outcomeUnknown(detail: detail)))
      }
    }
    connection.after(.milliseconds(500)) { [weak self] in self?.settleOverdue() }
  }
}
