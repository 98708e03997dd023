/// Who coordinates transactions: each transactional id belongs to the newest client that began with it.
struct Coordinator {
  enum State: Equatable {
    case empty
    case ongoing
    /// Decided, and the markers are on their way.
    case ending(commits: Bool)
    case ended(commits: Bool)
  }

  struct Transactional {
    var name: String
    var life: ProducerLife
    var state = State.empty
    var topics: [KafkaTopic] = []
    var began = VirtualTime.zero
  }

  private(set) var all: [Transactional] = []
  private var lastProducer: Int64 = 0
  var forgetsFence = false

  private func place(_ name: String) -> Int? { all.firstIndex { $0.name == name } }

  subscript(name: String) -> Transactional? { place(name).map { all[$0] } }

  mutating func newProducer() -> ProducerLife {
    lastProducer += 1
    return ProducerLife(id: lastProducer, epoch: 0)
  }

  /// What is to be done besides answering.
  enum Effect { case none, writeMarkers }

  /// InitProducerId.
  mutating func begin(
    _ name: String, after: ProducerLife?
  ) throws(KafkaRefusal) -> (ProducerLife?, Effect) {
    guard let place = place(name) else {
      let life = newProducer()
      all.append(Transactional(name: name, life: life))
      return (life, .none)
    }
    // The one who asks for the next epoch must be the newest.
    if let after, after != all[place].life, !forgetsFence { throw .fenced }
    switch all[place].state {
    case .ongoing:
      // The old life is out from now on, before its transaction is ended.
      all[place].life.epoch += 1
      all[place].state = .ending(commits: false)
      return (nil, .writeMarkers)
    case .ending: throw .concurrentTransactions
    case .empty, .ended:
      all[place].life.epoch += 1
      all[place].state = .empty
      all[place].topics = []
      return (all[place].life, .none)
    }
  }

  private func checked(_ name: String, _ life: ProducerLife) throws(KafkaRefusal) -> Int {
    guard let place = place(name) else { throw .fenced }
    if all[place].life != life, !forgetsFence { throw .fenced }
    return place
  }

  /// AddPartitionsToTxn.
  mutating func enlist(
    _ topics: [KafkaTopic], _ name: String, _ life: ProducerLife, at now: VirtualTime
  ) throws(KafkaRefusal) {
    let place = try checked(name, life)
    switch all[place].state {
    case .ending: throw .concurrentTransactions
    case .empty, .ended:
      all[place].state = .ongoing
      all[place].topics = []
      all[place].began = now
    case .ongoing: break
    }
    for topic in topics where !all[place].topics.contains(topic) {
      all[place].topics.append(topic)
    }
  }

  /// Whether a transaction is open that a record of this producer belongs to. A record that comes late must not begin one.
  func verify(_ topic: KafkaTopic, _ name: String, _ life: ProducerLife) throws(KafkaRefusal) {
    let place = try checked(name, life)
    guard all[place].state == .ongoing, all[place].topics.contains(topic) else {
      throw .noTransaction
    }
  }

  /// EndTxn. It is answered when it is decided.
  mutating func end(
    _ name: String, _ life: ProducerLife, commits: Bool
  ) throws(KafkaRefusal) -> Effect {
    let place = try checked(name, life)
    switch all[place].state {
    case .empty: throw .noTransaction
    case .ongoing:
      all[place].state = .ending(commits: commits)
      return .writeMarkers
    case .ending(commits): throw .concurrentTransactions
    case .ended(commits): return .none
    case .ending, .ended: throw .noTransaction
    }
  }

  /// The markers are written.
  mutating func finish(_ name: String) -> Transactional? {
    guard let place = place(name), case .ending(let commits) = all[place].state else { return nil }
    let ended = all[place]
    all[place].state = .ended(commits: commits)
    return ended
  }

  /// Ends what has been open for too long; its client is out.
  mutating func timeOut(at now: VirtualTime) -> [String] {
    var names: [String] = []
    for place in all.indices where all[place].state == .ongoing {
      let open = now.microseconds - all[place].began.microseconds
      guard open > ClusterSettings.transactionTimeout.microseconds else { continue }
      all[place].life.epoch += 1
      all[place].state = .ending(commits: false)
      names.append(all[place].name)
    }
    return names
  }
}
