internal import EventStorage
internal import KafkaStorage

/// One transaction: enlist, produce, commit; or abort.
extension Transactions {
  /// What became of it.
  enum Outcome {
    case committed
    /// The cluster has nothing of it and will not have.
    case refused(String)
    /// Somebody newer has our id.
    case fenced
    /// It is not known.
    case unknown(String)
  }

  /// A request of a transaction: some records of one append.
  private struct Piece {
    var number: UInt64
    var partition: Partition
    var records: [ProducedRecord]
  }

  func transaction(_ group: [UInt64], then: @escaping (Outcome) -> Void) {
    guard let life else { return then(.unknown("nobody writes")) }
    let partitions = Set(group.compactMap { port.pending[$0]?.partition })
    let topics = partitions.sorted().map { KafkaTopic.log($0) }
    let deadline = world.now + ClusterSettings.transactionTimeout
    connection.callAgain(.enlist(name, life, topics), until: deadline) { [weak self] answer in
      guard let self else { return }
      guard case .done = answer else { return self.abort(answer, then: then) }
      // What was answered meanwhile is not sent any more.
      let pieces = group.flatMap(self.pieces(of:))
      for number in group { self.port.pending[number]?.isUnsent = false }
      self.produce(pieces[...], life, until: deadline) { [weak self] failed in
        guard let self else { return }
        if let failed { return self.abort(failed, then: then) }
        // The client dies here, and leaves its transaction open.
        if self.world.chance.wants(.abandoned) { return self.die() }
        self.end(life, then: then)
      }
    }
  }

  private func die() {
    let downtime = VirtualTime.milliseconds(100) + world.chance.exponential(.seconds(2))
    if world.end(port.id, .killed, restartAfter: downtime) { world.chance.count(.abandoned) }
  }

  private func pieces(of number: UInt64) -> [Piece] {
    guard let append = port.pending[number] else { return [] }
    let tail = port.tail(of: append.partition)
    tail.newestTime = max(tail.newestTime, append.batch.timestamp)
    let records = append.batch.records.enumerated().map { place, record in
      ProducedRecord(
        key: record.key, value: record.value, timestamp: tail.newestTime,
        header: AppendHeader(
          id: port.header(number), following: append.batch.records.count - 1 - place,
          idempotencyKey: place == 0 ? append.batch.idempotencyKey : nil))
    }
    return stride(from: 0, to: records.count, by: port.settings.requestRecordsMax).map { start in
      Piece(
        number: number, partition: append.partition,
        records: Array(records[start...].prefix(port.settings.requestRecordsMax)))
    }
  }

  /// One request after another; calls back with what went wrong.
  private func produce(
    _ pieces: ArraySlice<Piece>, _ life: ProducerLife, until deadline: VirtualTime,
    then: @escaping (KafkaAnswer?) -> Void
  ) {
    guard let piece = pieces.first else { return then(nil) }
    let topic = KafkaTopic.log(piece.partition)
    let request = KafkaRequest.produce(
      topic, piece.records, life, sequence: sequences[topic, default: 0], transactional: name)
    connection.callAgain(request, until: deadline) { [weak self] answer in
      guard let self else { return }
      guard case .produced(let first) = answer else { return then(answer) }
      self.sequences[topic, default: 0] += piece.records.count
      if self.world.options.canary == .answerBeforeCommit {
        self.answerEarly(piece.number, piece.records.count, at: first)
      }
      self.produce(pieces.dropFirst(), life, until: deadline, then: then)
    }
  }

  /// Canary: answers with where the records lie, committed or not.
  private func answerEarly(_ number: UInt64, _ count: Int, at first: Offset) {
    let appended = Appended(first: first, end: Offset(first.rawValue + Int64(count)))
    port.answer(number, .success(appended))
  }

  private func end(_ life: ProducerLife, then: @escaping (Outcome) -> Void) {
    connection.callAgain(
      .endTransaction(name, life, commits: true),
      until: world.now + ClusterSettings.appendTimeout
    ) { answer in
      switch answer {
      case .done: then(.committed)
      case .refused(.fenced): then(.fenced)
      case .refused(let refusal): then(.unknown("\(refusal)"))
      default: then(.unknown("no sense in the answer"))
      }
    }
  }

  /// Nothing of it was to be committed yet. The next epoch keeps out what may still be on its way.
  private func abort(_ cause: KafkaAnswer, then: @escaping (Outcome) -> Void) {
    guard case .refused(let refusal) = cause, refusal != .fenced, let life else {
      return then(.fenced)
    }
    let deadline = world.now + ClusterSettings.appendTimeout
    connection.callAgain(.endTransaction(name, life, commits: false), until: deadline) {
      [weak self] answer in
      guard let self else { return }
      switch answer {
      case .done: break
      case .refused(.fenced): return then(.fenced)
      default: return then(.unknown("\(refusal)"))
      }
      self.connection.callAgain(.begin(transactional: self.name, after: life), until: deadline) {
        [weak self] answer in
        switch answer {
        case .producer(let next):
          self?.life = next
          self?.sequences = [:]
          then(.refused("\(refusal)"))
        case .refused(.fenced): then(.fenced)
        default: then(.unknown("\(refusal)"))
        }
      }
    }
  }

  // MARK: After errors

  /// Somebody else has our id: what was committed before is there, and nothing else will be.
  func afterFence(_ group: [UInt64], then: @escaping () -> Void) {
    life = nil
    guard case .writer(let id, _) = owner, let epoch = epoch.lose() else {
      return recover(group, "another client has the id \(name)", then: then)
    }
    newestLife { [weak self] newest in
      let current = max(epoch + 1, ((try? newest.get()) ?? nil) ?? 0)
      let refusal = LogError.fenced(writer: Writer(id: id, epoch: epoch), current: current)
      self?.readBack(group) { [weak self] left in
        for (number, isDecided) in left {
          self?.port.answer(
            number,
            .failure(isDecided ? refusal : .outcomeUnknown(detail: "fenced by epoch \(current)")))
        }
        then()
      }
    }
  }

  /// A new life of the same id ends what the old one had under way; then what is there is there.
  func recover(_ group: [UInt64], _ detail: String, then: @escaping () -> Void) {
    epoch.forget()
    open { [weak self] error in
      self?.readBack(group) { [weak self] left in
        for (number, isDecided) in left {
          self?.port.answer(
            number,
            .failure(
              error == nil && isDecided
                ? .unavailable(detail: detail) : .outcomeUnknown(detail: detail)))
        }
        then()
      }
    }
  }

  /// Reads every partition of the group to its end: the appends that are not there, and whether that is certain.
  private func readBack(
    _ group: [UInt64], then: @escaping ([(number: UInt64, isDecided: Bool)]) -> Void
  ) {
    let partitions = Set(group.compactMap { port.pending[$0]?.partition }).sorted()
    var decided: Set<Partition> = []
    let finish = { [weak self] in
      guard let self else { return }
      then(
        group.compactMap { number in
          self.port.pending[number].map { (number, decided.contains($0.partition)) }
        })
    }
    guard !partitions.isEmpty else { return finish() }
    port.ends(of: partitions, until: world.now + ClusterSettings.requestTimeout) {
      [weak self] ends in
      guard let self, let ends else { return finish() }
      let gathering = Gathering(partitions.count, then: finish)
      for (partition, bounds) in zip(partitions, ends) {
        self.port.tail(of: partition).wait(
          for: bounds.end, within: ClusterSettings.requestTimeout, on: self.connection
        ) { isThere in
          if isThere { decided.insert(partition) }
          gathering.arrive()
        }
      }
    }
  }
}
