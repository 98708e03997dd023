internal import EventStorage
internal import KafkaStorage

/// What must be asked of the cluster around an append: whether somebody has appended it before, and, when it failed and may have
/// arrived, whether it has.
extension KafkaPort {
  /// Reads the partition to its end, as that is now, and sends the append when it is new.
  func prepare(_ number: UInt64) {
    readToEnd(number, until: world.now + ClusterSettings.appendTimeout) { [weak self] target in
      guard let self, let append = self.pending[number] else { return }
      guard let target else {
        return self.answer(number, .failure(.unavailable(detail: "the end could not be read")))
      }
      self.world.oracle.prepared(self.header(number), upTo: target, in: append.partition)
      guard let key = append.batch.idempotencyKey else { return self.send(number) }
      self.completeKeys(of: self.tail(of: append.partition)) { [weak self] isComplete in
        guard let self, self.pending[number] != nil else { return }
        guard isComplete else {
          return self.answer(number, .failure(.unavailable(detail: "keys could not be read")))
        }
        self.sendIfNew(number, key)
      }
    }
  }

  private func sendIfNew(_ number: UInt64, _ key: String) {
    guard let append = pending[number] else { return }
    // Whether a writer is still let in comes before what it repeats: its transactions look.
    if append.batch.writer == nil {
      guard claim(number, key) else { return }
      if let answer = tail(of: append.partition).keys.answer(to: key) {
        return self.answer(number, .success(answer))
      }
    }
    send(number)
  }

  /// Claims the idempotency key for this append. When another one under way has it, this one shares its answer.
  func claim(_ number: UInt64, _ key: String) -> Bool {
    guard let append = pending[number] else { return true }
    let claim = Claim(partition: append.partition, key: key)
    guard let first = claims[claim], first != number, pending[first] != nil else {
      claims[claim] = number
      return true
    }
    pending[first]?.waiting += append.waiting
    pending[number] = nil
    return false
  }

  /// An append was sent and failed, and may have arrived: it is read back, never guessed.
  func doubt(_ number: UInt64, _ failure: String) {
    if world.options.canary == .guessAfterTimeout {
      return answer(number, .failure(.unavailable(detail: failure)))
    }
    readToEnd(number, until: world.now + ClusterSettings.requestTimeout) { [weak self] _ in
      // Not there, or nobody knows. It may still be on its way: nothing keeps a client out that is not fenced.
      self?.answer(number, .failure(.outcomeUnknown(detail: failure)))
    }
  }

  /// Asks where the partition ends, and reads up to there; nil when that takes too long. The end is that of all records: an earlier try
  /// may lie behind somebody's open transaction.
  private func readToEnd(
    _ number: UInt64, until deadline: VirtualTime, then: @escaping (Offset?) -> Void
  ) {
    guard let partition = pending[number]?.partition else { return }
    ends(of: [partition], .uncommitted, until: deadline) { [weak self] ends in
      guard let self, let end = ends?.first?.end else { return then(nil) }
      let left = VirtualTime(
        microseconds: max(0, deadline.microseconds - self.world.now.microseconds))
      self.tail(of: partition).wait(for: end, within: left, on: self.connection) { isThere in
        then(isThere ? end : nil)
      }
    }
  }

  /// Ends as the leaders have them now.
  func ends(
    of partitions: [Partition], _ isolation: Isolation = .committed, until deadline: VirtualTime,
    then: @escaping ([(start: Offset, end: Offset)]?) -> Void
  ) {
    connection.callAgain(.ends(partitions.map { .log($0) }, isolation), until: deadline) {
      answer in
      if case .ends(let ends) = answer { then(ends) } else { then(nil) }
    }
  }

  /// Reads the keys of what lies before where the tail began, unless that was done.
  func completeKeys(of tail: ClientTail, then: @escaping (Bool) -> Void) {
    let from = tail.keys.from
    if tail.keys.isComplete { return then(true) }
    guard tail.start < from else {
      tail.keys.complete(with: [])
      return then(true)
    }
    readKeys(of: tail.partition, from: tail.start, KeyRange(until: from)) { keys in
      guard let keys else { return then(false) }
      if tail.keys.from == from { tail.keys.complete(with: keys) }
      then(true)
    }
  }

  private func readKeys(
    of partition: Partition, from: Offset, _ known: KeyRange,
    then: @escaping ([(key: String, place: Appended)]?) -> Void
  ) {
    connection.call(.fetch([(.log(partition), from)], .committed, wait: .zero, recordsMax: 32)) {
      [weak self] answer in
      guard case .fetched(let all) = answer, let fetched = all.first, fetched.refusal == nil else {
        return then(nil)
      }
      var range = known
      for record in fetched.records {
        guard range.take(record.header, at: record.offset) else { return then(range.keys) }
      }
      // The end: nothing more will come of what is in part.
      guard fetched.next < fetched.end else { return then(range.keys) }
      self?.readKeys(of: partition, from: fetched.next, range, then: then)
    }
  }
}
