internal import EventStorage
internal import KafkaStorage

/// Reads of the process: from the tails, and from further back in ranges.
extension KafkaPort {
  struct ParkedFetch {
    var wanted: [(partition: Partition, from: Offset)]
    var request: UInt64
    var deadline: VirtualTime
  }

  struct ReadRange {
    var batch: ServedBatch?
    var next: Offset
  }

  private static let recordsMax = 64

  // MARK: Bounds

  /// As `bounds(of:)` says it; nil when the cluster has not been heard of for too long.
  private func bounds(of tail: ClientTail) -> LogBounds? {
    guard tail.isReady, let horizon = tail.horizon else { return nil }
    let age = world.now.microseconds - horizon.asked.microseconds
    guard age < settings.compactionLag.microseconds
    else { return nil }
    let end = max(tail.end, tail.start)
    return LogBounds(
      start: tail.start, end: end, tombstoneHorizon: min(max(horizon.offset, tail.start), end))
  }

  /// Asks, by the times of records, before which offset tombstones may be gone: whatever was appended less than the retention ago
  /// is there; the compaction lag makes good for clocks that differ.
  private func renewHorizon(of tail: ClientTail, then: @escaping () -> Void) {
    if let known = tail.horizon,
      world.now.microseconds - known.asked.microseconds < ClusterSettings.horizonLife.microseconds
    {
      return then()
    }
    let asked = world.now
    guard tail.partition.topic.isCompacted else {
      tail.horizon = (.zero, asked)
      return then()
    }
    let retention =
      settings.tombstoneRetention.microseconds - ClusterSettings.horizonLife.microseconds
    let time = max(0, world.clock(of: id) - retention / 1000)
    connection.call(.offset(.log(tail.partition), notBefore: time)) { [weak tail] answer in
      if case .offset(let offset) = answer, let tail {
        tail.horizon = (max(offset, tail.horizon?.offset ?? .zero), asked)
      }
      then()
    }
  }

  private func renewHorizons(_ partitions: [Partition], then: @escaping () -> Void) {
    let gathering = Gathering(partitions.count, then: then)
    for partition in partitions {
      renewHorizon(of: tail(of: partition)) { gathering.arrive() }
    }
  }

  func describe(_ number: UInt64) {
    renewHorizons(tails.map(\.partition)) { [weak self] in
      guard let self else { return }
      let all = self.tails.compactMap { tail in self.bounds(of: tail).map { (tail.partition, $0) } }
      guard all.count == self.tails.count else { return }
      self.tell(
        .described(
          identity: self.world.logIdentity, layout: self.world.oracle.layout, bounds: all), number)
    }
  }

  // MARK: Fetches

  func fetch(_ wanted: [(partition: Partition, from: Offset)], _ request: UInt64) {
    let deadline = world.now + .seconds(5)
    parked = ParkedFetch(wanted: wanted, request: request, deadline: deadline)
    connection.after(.seconds(5)) { [weak self] in self?.wakeReader() }
    wakeReader()
  }

  /// Looks whether there is news for the one who waits.
  func wakeReader() {
    guard let fetch = parked, !isRenewing else { return }
    let news = fetch.wanted.filter { hasNews($0.partition, $0.from) }
    guard !news.isEmpty || world.now >= fetch.deadline else { return }
    isRenewing = true
    // Asked before what is read: what went in between is not older than it says.
    renewHorizons(fetch.wanted.map(\.partition)) { [weak self] in
      guard let self else { return }
      self.isRenewing = false
      self.answerParked()
    }
  }

  private func hasNews(_ partition: Partition, _ from: Offset) -> Bool {
    let tail = tail(of: partition)
    return tail.isReady && !ranging.contains(partition) && (tail.end > from || from < tail.start)
  }

  private func answerParked() {
    guard let fetch = parked else { return }
    var found: [Fetched] = []
    for (partition, from) in fetch.wanted {
      let tail = tail(of: partition)
      guard hasNews(partition, from), let bounds = bounds(of: tail) else { continue }
      if from < tail.start {
        found.append(
          Fetched(
            partition: partition, from: from, batches: [], next: from, bounds: bounds,
            failure: .trimmed(partition, start: tail.start)))
      } else if let (batches, next) = tail.select(from: from, recordsMax: KafkaPort.recordsMax) {
        found.append(
          Fetched(partition: partition, from: from, batches: batches, next: next, bounds: bounds))
      } else {
        range(tail, from, fetch.request)
      }
    }
    guard !found.isEmpty || world.now >= fetch.deadline else { return }
    parked = nil
    for fetched in found { judge(fetched) }
    tell(.fetched(found), fetch.request)
  }

  /// From further back than the tail keeps. The answer comes by itself.
  private func range(_ tail: ClientTail, _ from: Offset, _ request: UInt64) {
    ranging.insert(tail.partition)
    readRange(tail.partition, from: from, until: tail.end, recordsMax: KafkaPort.recordsMax) {
      [weak self] range in
      guard let self else { return }
      self.renewHorizon(of: tail) { [weak self] in
        guard let self else { return }
        self.ranging.remove(tail.partition)
        guard let range, let bounds = self.bounds(of: tail) else { return self.wakeReader() }
        let fetched = Fetched(
          partition: tail.partition, from: from, batches: range.batch.map { [$0] } ?? [],
          next: range.next, bounds: bounds)
        self.judge(fetched)
        self.world.oracle.counts.ranges += 1
        self.tell(.fetched([fetched]), request)
        self.again(tail.partition, from: range.next)
      }
    }
  }

  /// Whoever waits has this by now.
  private func again(_ partition: Partition, from: Offset) {
    if let place = parked?.wanted.firstIndex(where: { $0.partition == partition }) {
      parked?.wanted[place].from = from
    }
    wakeReader()
  }

  private func judge(_ fetched: Fetched) {
    world.check { () throws(Broken) in try world.oracle.check(fetched) }
  }

  // MARK: Ranges

  /// Whole appends from `from` on, until there are so many records of them, or the position is `until`.
  func readRange(
    _ partition: Partition, from: Offset, until: Offset, recordsMax: Int,
    then: @escaping (ReadRange?) -> Void
  ) {
    var folder = AppendFolder()
    var builder = BatchBuilder()
    var range = ReadRange(next: from)
    var count = 0
    func on() {
      connection.call(
        .fetch([(.log(partition), range.next)], .committed, wait: .zero, recordsMax: 32)
      ) { answer in
        guard case .fetched(let all) = answer, let fetched = all.first, fetched.refusal == nil
        else {
          return then(nil)
        }
        for record in fetched.records where record.offset < until {
          if count >= recordsMax, folder.isBetweenAppends { break }
          builder.take(record)
          _ = folder.take(record.header, at: record.offset)
          count += 1
          range.next = Offset(record.offset.rawValue + 1)
        }
        let isEnough = count >= recordsMax && folder.isBetweenAppends
        if !isEnough { range.next = max(range.next, min(until, fetched.next)) }
        guard isEnough || range.next >= until else {
          guard fetched.next > fetched.from else { return then(nil) }
          return on()
        }
        range.batch = builder.finish()
        then(range)
      }
    }
    on()
  }
}
