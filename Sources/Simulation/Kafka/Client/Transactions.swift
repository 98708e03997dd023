internal import EventStorage
internal import KafkaStorage

/// What a transactor of `KafkaStorage` and its thread do, one step after another: group commit, one transactional id, and after every
/// error the same questions.
final class Transactions {
  enum Owner {
    /// This life of the process; nobody else has its id.
    case instance
    /// Every life of this writer, in whatever process, has the same id.
    case writer(Int64, Partition)
  }

  typealias Fenced = (Result<Writer, LogError>) -> Void
  static let groupMax = 8

  unowned let port: KafkaPort
  let name: String
  let owner: Owner
  /// As whom it writes; nil when it has to begin anew.
  var life: ProducerLife?
  var sequences: [KafkaTopic: Int] = [:]
  /// Which life of the writer that is.
  var epoch = WriterLife()
  private var appends: [UInt64] = []
  private var fences: [Fenced] = []
  private var isBusy = false

  var world: World { port.world }
  var connection: KafkaConnection { port.connection }

  init(_ port: KafkaPort, named name: String, of owner: Owner) {
    self.port = port
    self.name = name
    self.owner = owner
  }

  func send(_ number: UInt64) {
    appends.append(number)
    turn()
  }

  func fence(_ then: @escaping Fenced) {
    fences.append(then)
    turn()
  }

  /// A fence comes after what was appended before it.
  private func turn() {
    guard !isBusy else { return }
    appends.removeAll { port.pending[$0] == nil }
    if !appends.isEmpty {
      let group = Array(appends.prefix(Transactions.groupMax))
      appends.removeFirst(group.count)
      isBusy = true
      write(group) { [weak self] in self?.rest() }
    } else if !fences.isEmpty {
      let then = fences.removeFirst()
      isBusy = true
      let deadline = world.now + ClusterSettings.appendTimeout
      fence(until: deadline) { [weak self] result in
        then(result)
        self?.rest()
      }
    }
  }

  private func rest() {
    isBusy = false
    turn()
  }

  // MARK: Appending

  private func write(_ group: [UInt64], then: @escaping () -> Void) {
    guard case .writer(let id, _) = owner else { return commit(group, then: then) }
    let epochs = Set(group.compactMap { port.pending[$0]?.batch.writer?.epoch }).sorted()
    write(group, of: id, epochs[...], then: then)
  }

  /// Lives are few, and hardly ever in one group.
  private func write(
    _ group: [UInt64], of id: Int64, _ epochs: ArraySlice<Int16>, then: @escaping () -> Void
  ) {
    guard let epoch = epochs.first else { return then() }
    let ofLife = group.filter { port.pending[$0]?.batch.writer?.epoch == epoch }
    let next = { [weak self] in
      guard let self else { return }
      self.write(group, of: id, epochs.dropFirst(), then: then)
    }
    let refuse = { [weak self] (error: LogError) in
      for number in ofLife { self?.port.answer(number, .failure(error)) }
      next()
    }
    letIn(Writer(id: id, epoch: epoch)) { [weak self] error in
      guard let self else { return }
      if let error { return refuse(error) }
      self.withoutRepeats(ofLife[...], []) { [weak self] new in
        guard let self else { return }
        switch new {
        case .failure(let error): refuse(error)
        case .success(let new): if new.isEmpty { next() } else { self.commit(new, then: next) }
        }
      }
    }
  }

  /// Answers what is a repeat, unless the writer is out: a repeat writes nothing, so the cluster would not say so.
  private func withoutRepeats(
    _ rest: ArraySlice<UInt64>, _ new: [UInt64],
    then: @escaping (Result<[UInt64], LogError>) -> Void
  ) {
    guard let number = rest.first else { return then(.success(new)) }
    let others = rest.dropFirst()
    guard let append = port.pending[number], let writer = append.batch.writer,
      let key = append.batch.idempotencyKey
    else { return withoutRepeats(others, new + [number], then: then) }
    guard port.claim(number, key) else { return withoutRepeats(others, new, then: then) }
    guard let answer = port.tail(of: append.partition).keys.answer(to: key) else {
      return withoutRepeats(others, new + [number], then: then)
    }
    newestLife { [weak self] result in
      switch result {
      case .failure(let error): return then(.failure(error))
      case .success(let current):
        if let current, writer.epoch < current {
          return then(.failure(.fenced(writer: writer, current: current)))
        }
      }
      self?.port.answer(number, .success(answer))
      self?.withoutRepeats(others, new, then: then)
    }
  }

  private func commit(_ group: [UInt64], then: @escaping () -> Void) {
    ready(group) { [weak self] error in
      guard let self else { return }
      if let error {
        for number in group { self.port.answer(number, .failure(error)) }
        return then()
      }
      self.transaction(group) { [weak self] outcome in
        guard let self else { return }
        switch outcome {
        case .committed: then()
        case .refused(let detail):
          for number in group { self.port.answer(number, .failure(.unavailable(detail: detail))) }
          then()
        case .fenced: self.afterFence(group, then: then)
        case .unknown(let detail): self.recover(group, detail, then: then)
        }
      }
    }
  }

  /// The cluster knows who writes, and the ends of the partitions are known.
  private func ready(_ group: [UInt64], then: @escaping (LogError?) -> Void) {
    guard life != nil else {
      return open { [weak self] error in
        if let error { then(error) } else { self?.ready(group, then: then) }
      }
    }
    let partitions = Set(group.compactMap { port.pending[$0]?.partition }).sorted()
    var isReady = true
    let gathering = Gathering(partitions.count) {
      then(isReady ? nil : .unavailable(detail: "the partition could not be read to its end"))
    }
    for partition in partitions {
      port.tail(of: partition).wait(
        for: .zero, within: ClusterSettings.requestTimeout, on: connection
      ) {
        isReady = isReady && $0
        gathering.arrive()
      }
    }
  }

  /// Begins as the newest of this id: every older one is kept out.
  func open(then: @escaping (LogError?) -> Void) {
    life = nil
    connection.callAgain(
      .begin(transactional: name, after: nil), until: world.now + ClusterSettings.appendTimeout
    ) { [weak self] answer in
      guard let self else { return }
      guard case .producer(let life) = answer else {
        return then(.unavailable(detail: "the transactions of \(self.name) do not begin"))
      }
      self.life = life
      self.sequences = [:]
      then(nil)
    }
  }
}
