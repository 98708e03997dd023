internal import EventStorage

/// What the thread of a transactor does, and all that it alone knows.
struct TransactorThread {
  private let transactor: Transactor
  private var client: Client?
  /// Which life `client` writes for.
  private var life = WriterLife()

  /// What became of a transaction.
  private enum Outcome {
    case committed
    /// The broker has nothing of it and will not have.
    case refused(String)
    /// Somebody newer has our id.
    case fenced
    /// It is not known.
    case unknown(String)
  }

  init(_ transactor: Transactor) { self.transactor = transactor }

  private var options: KafkaLog.Options { transactor.options }
  private var appends: PendingAppends { transactor.appends }

  mutating func run() {
    while let (group, fence) = nextWork() {
      if let fence {
        fence(self.fence())
      } else if !group.isEmpty {
        write(group)
      }
    }
    client = nil
    transactor.shared.change { $0.isRunning = false }
  }

  /// Waits for work; nil when the transactor is closed. A fence comes after what was appended before it.
  private func nextWork() -> (group: [UInt64], fence: Transactor.Fenced?)? {
    let shared = transactor.shared
    _ = shared.wait(for: .seconds(3600)) {
      $0.isClosed || !$0.appends.isEmpty || !$0.fences.isEmpty
    }
    return shared.withLock { shared in
      if shared.isClosed { return nil }
      if shared.appends.isEmpty {
        return ([], shared.fences.isEmpty ? nil : shared.fences.removeFirst())
      }
      var count = 0
      var bytes = 0
      var records = 0
      for number in shared.appends {
        guard let pending = appends[number] else {
          count += 1
          continue
        }
        bytes += pending.bytes
        records += pending.batch.records.count
        if records > pending.batch.records.count,
          bytes > Transactor.groupBytesMax || records > Transactor.groupRecordsMax
        {
          break
        }
        count += 1
      }
      let group = Array(shared.appends.prefix(count))
      shared.appends.removeFirst(count)
      return (group, nil)
    }
  }

  // MARK: Appending

  private mutating func write(_ numbers: [UInt64]) {
    let group = numbers.compactMap { number in appends[number].map { (number, $0) } }
    guard let first = group.first?.1.batch.writer else { return commit(group) }
    // Lives are few, and hardly ever in one group.
    for epoch in Set(group.map { $0.1.batch.writer?.epoch ?? first.epoch }).sorted() {
      let ofLife = group.filter { $0.1.batch.writer?.epoch == epoch }
      do throws(LogError) {
        try letIn(Writer(id: first.id, epoch: epoch), until: deadline(of: ofLife))
        var new: [(UInt64, PendingAppends.Pending)] = []
        for (number, pending) in ofLife where try isNew(number, pending) {
          new.append((number, pending))
        }
        if !new.isEmpty { commit(new) }
      } catch {
        for (number, _) in ofLife { appends.answer(number, .failure(error)) }
      }
    }
  }

  /// Throws unless this life of the writer is the newest, and makes the client that writes for it.
  private mutating func letIn(
    _ writer: Writer, until deadline: ContinuousClock.Instant
  ) throws(LogError) {
    switch life.admission(of: writer.epoch, hasClient: client != nil) {
    case .writes: return
    case .isOver:
      let current = try? newestLife()
      throw .fenced(writer: writer, current: max((life.lost ?? writer.epoch) + 1, current ?? 0))
    case .isOlder(let current): throw .fenced(writer: writer, current: current)
    case .mustAsk: break
    }
    // Asked before the broker keeps others out, so that a stranded old life does not get in the way of a newer one; and again
    // after, when nobody newer can have come without our client being fenced.
    for _ in 0..<2 {
      if let current = try newestLife(), writer.epoch < current {
        client = nil
        throw .fenced(writer: writer, current: current)
      }
      if client == nil || life.current != writer.epoch {
        client = nil
        life.forget()
        client = try opened(until: deadline)
        life.begin(writer.epoch)
      }
    }
  }

  /// Claims the idempotency key; false when it is a repeat, which is answered.
  private func isNew(
    _ number: UInt64, _ pending: PendingAppends.Pending
  ) throws(LogError) -> Bool {
    guard let key = pending.batch.idempotencyKey, let writer = pending.batch.writer,
      let tail = transactor.tails.tails[pending.partition]
    else { return true }
    guard appends.claimKey(of: number) else { return false }
    guard let answer = tail.state.withLock({ $0.keys.answer(to: key) }) else { return true }
    // A repeat writes nothing, so the broker would not tell us that we are old.
    if let current = try newestLife(), writer.epoch < current {
      throw .fenced(writer: writer, current: current)
    }
    appends.answer(number, .success(answer))
    return false
  }

  private func newestLife() throws(LogError) -> Int16? {
    guard case .writer(let id, let partition) = transactor.owner else { return nil }
    return try transactor.control.read().lives[ControlTopic.WriterKey(id: id, partition)]
  }

  /// A client that the broker knows, with every older one of this id kept out.
  private func opened(until deadline: ContinuousClock.Instant) throws(LogError) -> Client {
    var trouble = "no answer"
    repeat {
      do throws(KafkaFailure) {
        let client = try Client(
          .producer, transactor.properties.transactor(id: transactor.id), reports: .unheard)
        try client.initTransactions(within: patience(until: deadline))
        return client
      } catch {
        trouble = error.detail
        if error.kind == .fatal { break }
      }
    } while .now < deadline && !transactor.shared.withLock { $0.isClosed }
    throw .unavailable(detail: "the transactions of \(transactor.id): \(trouble)")
  }

  /// Nobody waits for any of them any longer.
  private func deadline(
    of group: [(number: UInt64, pending: PendingAppends.Pending)]
  ) -> ContinuousClock.Instant {
    group.map(\.pending.deadline).max() ?? .now
  }

  /// How long one question may take. Never nothing: librdkafka is asked once at least.
  private func patience(until deadline: ContinuousClock.Instant) -> Duration {
    max(.milliseconds(10), min(options.requestTimeout, deadline - .now))
  }

  private mutating func commit(_ group: [(number: UInt64, pending: PendingAppends.Pending)]) {
    do throws(LogError) {
      if client == nil { client = try opened(until: deadline(of: group)) }
      for (_, pending) in group { _ = try transactor.tails.ready(pending.partition) }
    } catch {
      for (number, _) in group { appends.answer(number, .failure(error)) }
      return
    }
    guard let client else { return }
    switch transaction(group, on: client) {
    case .committed:
      for (number, _) in group { appends.note(number, "it is committed, but was not read back") }
    case .refused(let detail):
      for (number, _) in group { appends.answer(number, .failure(.unavailable(detail: detail))) }
    case .fenced: afterFence(group)
    case .unknown(let detail): recover(group, detail)
    }
  }

  private func transaction(
    _ group: [(number: UInt64, pending: PendingAppends.Pending)], on client: Client
  ) -> Outcome {
    let deadline = deadline(of: group)
    do throws(KafkaFailure) {
      try client.beginTransaction()
      var unsentBytes = 0
      for (number, pending) in group where appends.markSent(number) {
        // Requests are cut between appends where that is possible: nothing comes between the records of one, then.
        if unsentBytes > 0, unsentBytes + pending.bytes > 800_000 {
          client.flush(within: patience(until: deadline))
          unsentBytes = 0
        }
        unsentBytes += pending.bytes + 100 * pending.batch.records.count
        try produce(number, pending, on: client)
      }
    } catch {
      return abort(client, error, until: deadline)
    }
    while true {
      do throws(KafkaFailure) {
        try client.commitTransaction(within: patience(until: deadline))
        return .committed
      } catch {
        switch error.kind {
        case .abort: return abort(client, error, until: deadline)
        case .fenced: return .fenced
        case .retriable where .now < deadline: continue
        default: return .unknown(error.detail)
        }
      }
    }
  }

  private func produce(
    _ number: UInt64, _ pending: PendingAppends.Pending, on client: Client
  ) throws(KafkaFailure) {
    let topic = unsafe try client.topic(options.topic(pending.partition.topic))
    let records = pending.batch.records
    let time =
      transactor.tails.tails[pending.partition]?.state.withLock { state in
        state.newestTime = max(state.newestTime, pending.batch.timestamp)
        return state.newestTime
      } ?? pending.batch.timestamp
    for (index, record) in records.enumerated() {
      let header = AppendHeader(
        id: appends.id(of: number), following: records.count - 1 - index,
        idempotencyKey: index == 0 ? pending.batch.idempotencyKey : nil)
      unsafe try client.produce(
        record, to: topic, pending.partition.index, timestamp: time, header: header,
        opaque: Int(truncatingIfNeeded: number))
    }
  }

  private func abort(
    _ client: Client, _ cause: KafkaFailure, until deadline: ContinuousClock.Instant
  ) -> Outcome {
    if cause.kind == .fenced { return .fenced }
    while true {
      do throws(KafkaFailure) {
        try client.abortTransaction(within: patience(until: deadline))
        return .refused(cause.detail)
      } catch {
        if error.kind == .fenced { return .fenced }
        if error.kind != .retriable || .now > deadline { return .unknown(error.detail) }
      }
    }
  }

  // MARK: After errors

  /// Somebody else has our id: what was committed before is there, and nothing else will be.
  private mutating func afterFence(
    _ group: [(number: UInt64, pending: PendingAppends.Pending)]
  ) {
    client = nil
    guard case .writer(let id, _) = transactor.owner, let epoch = life.lose() else {
      return recover(group, "another client has the transactional id \(transactor.id)")
    }
    let current = max(epoch + 1, (try? newestLife()) ?? 0)
    let refusal = LogError.fenced(writer: Writer(id: id, epoch: epoch), current: current)
    for (number, isDecided) in readBack(group) {
      appends.answer(
        number,
        .failure(isDecided ? refusal : .outcomeUnknown(detail: "fenced by epoch \(current)")))
    }
  }

  /// A new client with the same id ends what the old one had under way; then what is there is there.
  ///
  /// For a writer that client keeps everybody else out, but it writes nothing: a newer life may have come meanwhile, and whether ours
  /// is let in again is asked before the next append, as for any other (`letIn`).
  private mutating func recover(
    _ group: [(number: UInt64, pending: PendingAppends.Pending)], _ detail: String
  ) {
    client = nil
    if let current = life.current, let newest = try? newestLife(), newest > current {
      // Whoever is in has ended what we had under way, and need not be disturbed.
      return afterFence(group)
    }
    life.forget()
    // After the deadline nobody asks any more what became of them; the next client with this id ends what is under way.
    let deadline = deadline(of: group)
    var isFenced = false
    if .now < deadline, let fresh = try? opened(until: deadline) {
      client = fresh
      isFenced = true
    }
    for (number, isDecided) in readBack(group) {
      appends.answer(
        number,
        .failure(
          isFenced && isDecided ? .unavailable(detail: detail) : .outcomeUnknown(detail: detail)))
    }
    // The life is forgotten, so the next append asks whether it is let in: with a client of its own.
    if case .writer = transactor.owner { client = nil }
  }

  /// Reads every partition of the group to its end.
  /// - Returns: the appends that are not there, and whether that is certain.
  private func readBack(
    _ group: [(number: UInt64, pending: PendingAppends.Pending)]
  ) -> [(number: UInt64, isDecided: Bool)] {
    let partitions = Array(Set(group.map(\.pending.partition)))
    var decided: Set<Partition> = []
    let deadline = deadline(of: group)
    if .now < deadline,
      let ends = try? transactor.tails.ends(of: partitions, within: patience(until: deadline))
    {
      for (partition, end) in zip(partitions, ends) {
        guard let tail = try? transactor.tails.ready(partition) else { continue }
        if tail.state.wait(for: patience(until: deadline), until: { $0.readTo >= end }) {
          decided.insert(partition)
        }
      }
    }
    return group.filter { appends[$0.number] != nil }
      .map { ($0.number, decided.contains($0.pending.partition)) }
  }

  // MARK: Fencing

  /// Begins a new life of the writer: first the broker keeps the others out, then the control topic says so, by the same client.
  private mutating func fence() -> Result<Writer, LogError> {
    guard case .writer(let id, let partition) = transactor.owner else {
      return .failure(.stopped(detail: "\(transactor.id) is no writer"))
    }
    let deadline = ContinuousClock.now + options.appendTimeout
    var trouble = LogError.unavailable(detail: "another instance fences writer \(id) too")
    repeat {
      do throws(LogError) {
        client = nil
        life.forget()
        let client = try opened(until: deadline)
        let epoch = try newestLife().map { Int($0) + 1 } ?? 0
        guard let next = Int16(exactly: epoch) else {
          return .failure(
            .tooLarge(what: "epoch of writer \(id)", size: epoch, limit: Int(Int16.max)))
        }
        guard try transactor.control.write(life: next, of: id, in: partition, by: client) else {
          continue
        }
        // What older lives had committed is there before the new one is told.
        let tail = try transactor.tails.ready(partition)
        let end: Offset
        do throws(KafkaFailure) {
          end = try transactor.tails.ends(of: [partition], within: options.requestTimeout)[0]
        } catch {
          throw .unavailable(detail: error.detail)
        }
        guard tail.state.wait(for: options.requestTimeout, until: { $0.readTo >= end }) else {
          throw .unavailable(detail: "\(partition) could not be read to its end")
        }
        self.client = client
        life.begin(next)
        return .success(Writer(id: id, epoch: next))
      } catch {
        trouble = error
        if error == .closed { break }
      }
    } while .now < deadline && !transactor.shared.withLock { $0.isClosed }
    return .failure(trouble)
  }
}
