internal import EventStorage
internal import KafkaStorage

/// Lives of a writer: the cluster keeps older ones out, and the control topic says which is the newest.
extension Transactions {
  /// Nothing unless this life of the writer is not the newest. Afterwards it is the one who writes.
  func letIn(_ writer: Writer, then: @escaping (LogError?) -> Void) {
    switch epoch.admission(of: writer.epoch, hasClient: life != nil) {
    case .writes: then(nil)
    case .isOlder(let current): then(.fenced(writer: writer, current: current))
    case .isOver:
      let lost = epoch.lost ?? writer.epoch
      newestLife { newest in
        let current = max(lost + 1, ((try? newest.get()) ?? nil) ?? 0)
        then(.fenced(writer: writer, current: current))
      }
    case .mustAsk:
      // Asked before the cluster keeps others out, so that a stranded old life does not get in the way of a newer one; and again
      // after, when nobody newer can have come without our being fenced.
      letIn(writer, rounds: 2, then: then)
    }
  }

  private func letIn(_ writer: Writer, rounds: Int, then: @escaping (LogError?) -> Void) {
    guard rounds > 0 else { return then(nil) }
    newestLife { [weak self] newest in
      guard let self else { return }
      switch newest {
      case .failure(let error): return then(error)
      case .success(let current):
        if let current, writer.epoch < current {
          self.life = nil
          return then(.fenced(writer: writer, current: current))
        }
      }
      if self.life != nil, self.epoch.current == writer.epoch {
        return self.letIn(writer, rounds: rounds - 1, then: then)
      }
      self.epoch.forget()
      self.open { [weak self] error in
        if let error { return then(error) }
        self?.epoch.begin(writer.epoch)
        self?.letIn(writer, rounds: rounds - 1, then: then)
      }
    }
  }

  /// The newest life that the control topic has, committed or not: one that began to be written is over for those before it.
  func newestLife(then: @escaping (Result<Int16?, LogError>) -> Void) {
    guard case .writer(let id, let partition) = owner else { return then(.success(nil)) }
    let key = Array(ControlRecord.key(id, partition).utf8)
    let refuse = { then(.failure(.unavailable(detail: "the control topic cannot be read"))) }
    connection.callAgain(
      .ends([.control], .uncommitted), until: world.now + ClusterSettings.requestTimeout
    ) { [weak self] answer in
      guard let self, case .ends(let ends) = answer, let (start, end) = ends.first else {
        return refuse()
      }
      self.readLives(key, from: start, until: end, nil) { result in
        if let result { then(.success(result.newest)) } else { refuse() }
      }
    }
  }

  private func readLives(
    _ key: [UInt8], from: Offset, until end: Offset, _ known: Int16?,
    then: @escaping ((newest: Int16?, Void)?) -> Void
  ) {
    guard from < end else { return then((known, ())) }
    connection.call(.fetch([(.control, from)], .uncommitted, wait: .zero, recordsMax: 64)) {
      [weak self] answer in
      guard let self, case .fetched(let all) = answer, let fetched = all.first,
        fetched.refusal == nil, fetched.next > from
      else { return then(nil) }
      var newest = known
      for record in fetched.records where record.key == key {
        guard let value = record.value, let epoch = Int16(String(decoding: value, as: UTF8.self))
        else { continue }
        newest = max(newest ?? epoch, epoch)
      }
      self.readLives(key, from: fetched.next, until: end, newest, then: then)
    }
  }

  // MARK: Fencing

  /// Begins a new life of the writer: first the cluster keeps the others out, then the control topic says so.
  func fence(until deadline: VirtualTime, then: @escaping Fenced) {
    guard case .writer(let id, let partition) = owner else {
      return then(.failure(.stopped(detail: "\(name) is no writer")))
    }
    let again = { [weak self] (error: LogError) in
      guard let self else { return }
      self.life = nil
      guard self.world.now < deadline else { return then(.failure(error)) }
      self.connection.after(.milliseconds(20)) { [weak self] in
        self?.fence(until: deadline, then: then)
      }
    }
    epoch.forget()
    open { [weak self] error in
      guard let self else { return }
      if let error { return again(error) }
      self.newestLife { [weak self] newest in
        guard let self else { return }
        guard case .success(let known) = newest else {
          return again(.unavailable(detail: "the control topic cannot be read"))
        }
        let writer = Writer(id: id, epoch: known.map { $0 + 1 } ?? 0)
        self.write(writer, in: partition) { [weak self] isWritten in
          guard let self else { return }
          guard isWritten else {
            return again(.unavailable(detail: "another one fences writer \(id) too"))
          }
          // What older lives had committed is there before the new one is told.
          self.readToEnd(of: partition) { [weak self] isThere in
            guard isThere else {
              return again(.unavailable(detail: "\(partition) could not be read to its end"))
            }
            self?.epoch.begin(writer.epoch)
            then(.success(writer))
          }
        }
      }
    }
  }

  /// Writes a life in a transaction of its own.
  private func write(
    _ writer: Writer, in partition: Partition, then: @escaping (Bool) -> Void
  ) {
    guard let life else { return then(false) }
    let deadline = world.now + ClusterSettings.requestTimeout
    let record = ControlRecord.life(writer, in: partition, at: world.clock(of: port.id))
    connection.callAgain(.enlist(name, life, [.control]), until: deadline) { [weak self] answer in
      guard let self, case .done = answer else { return then(false) }
      let request = KafkaRequest.produce(
        .control, [record], life, sequence: self.sequences[.control, default: 0],
        transactional: self.name)
      self.connection.callAgain(request, until: deadline) { [weak self] answer in
        guard let self, case .produced = answer else { return then(false) }
        self.sequences[.control, default: 0] += 1
        self.connection.callAgain(
          .endTransaction(self.name, life, commits: true), until: deadline
        ) { answer in
          if case .done = answer { then(true) } else { then(false) }
        }
      }
    }
  }

  private func readToEnd(of partition: Partition, then: @escaping (Bool) -> Void) {
    port.ends(of: [partition], until: world.now + ClusterSettings.requestTimeout) {
      [weak self] ends in
      guard let self, let end = ends?.first?.end else { return then(false) }
      self.port.tail(of: partition).wait(
        for: end, within: ClusterSettings.requestTimeout, on: self.connection, then: then)
    }
  }
}
