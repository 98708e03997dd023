internal import EventStorage
internal import KafkaStorage

/// What clients have asked a cluster to append to one partition, and what became of each.
struct ClusterLedger {
  struct Attempt {
    var contents: [UInt64]
    var keys: [UInt64]
    var batch: AppendBatch
    /// Everything before this was looked through for its idempotency key.
    var preparedTo: Offset?
    /// Where its records are visible, in their order.
    var offsets: [Int64] = []
    /// Where a leader has it, visible or not; nothing can take it away again.
    var storedAt: Offset?
    /// Its client has said that it is not there and will not be.
    var refusal: LogError?

    var isWhole: Bool { offsets.count == contents.count }
  }

  /// Where an append with an idempotency key came to lie: the offsets of its records.
  struct Place {
    var offsets: [Int64]
  }

  var attempts: [AppendHeader.ID: Attempt] = [:]
  var places: [String: [Place]] = [:]
  /// Appends of several records that lie one behind another: no reader stops within one.
  var spans: [(first: Int64, last: Int64)] = []
  /// What compaction has taken.
  var gone: Set<Int64> = []

  /// A key counts until compaction takes the first record of its append, which says it, or the last, which ends the append.
  func isForgotten(_ place: Place) -> Bool {
    [place.offsets.first, place.offsets.last].contains { $0.map(gone.contains) ?? true }
  }

  /// Whether this is where it lies, as one sees it who reads what compaction has left.
  func isAnswer(_ appended: Appended, to place: Place) -> Bool {
    guard let last = place.offsets.last, appended.end.rawValue == last + 1 else { return false }
    let seen = place.offsets.first { !gone.contains($0) } ?? last
    return [place.offsets[0], seen].contains(appended.first.rawValue)
  }
}

extension PartitionLedger {
  // MARK: What clients say

  mutating func attempt(_ id: AppendHeader.ID, _ batch: AppendBatch) {
    cluster.attempts[id] = ClusterLedger.Attempt(
      contents: batch.records.map { contentOf($0) }, keys: batch.records.map(keyOf), batch: batch)
  }

  /// A client has answered an append.
  mutating func acknowledge(
    _ id: AppendHeader.ID, _ answer: Result<Appended, LogError>
  ) throws(Broken) {
    guard let attempt = cluster.attempts[id] else { return }
    switch answer {
    case .failure(.outcomeUnknown): return
    case .failure(let error):
      // Nothing was appended, says this.
      if let first = attempt.offsets.first {
        throw Broken(13, "an append to \(partition) was refused (\(error)) and lies at \(first)")
      }
      cluster.attempts[id]?.refusal = error
    case .success(let appended):
      acknowledged += 1
      try check(appended, of: attempt)
    }
  }

  private func check(
    _ appended: Appended, of attempt: ClusterLedger.Attempt
  ) throws(Broken) {
    if let key = attempt.batch.idempotencyKey, let places = cluster.places[key] {
      // All tries are answered with where the first of them lies that has not been compacted away.
      for place in places {
        if cluster.isAnswer(appended, to: place) { return }
        guard cluster.isForgotten(place) else {
          throw Broken(
            18, "the append \(key) lies at \(place.offsets) and was answered \(appended.first)")
        }
      }
    }
    let place = ClusterLedger.Place(offsets: attempt.offsets)
    if attempt.isWhole, cluster.isAnswer(appended, to: place) { return }
    // Durable, and behind a transaction that hides it from readers for a while.
    if let stored = attempt.storedAt, stored == appended.first, attempt.offsets.isEmpty { return }
    throw Broken(
      13, "\(partition) acknowledged \(appended.first)..<\(appended.end) and shows else")
  }

  // MARK: What the cluster shows

  /// A record has become visible.
  mutating func admit(
    _ header: AppendHeader, key: UInt64, content: UInt64, isTombstone: Bool, timestamp: Int64,
    at offset: Offset
  ) throws(Broken) {
    guard offset >= end else { throw Broken(13, "\(partition) shows offset \(offset) late") }
    guard var attempt = cluster.attempts[header.id] else {
      throw Broken(13, "\(partition) holds at \(offset) what nobody appended")
    }
    let part = attempt.contents.count - 1 - header.following
    guard part == attempt.offsets.count, attempt.contents[part] == content else {
      throw Broken(
        13, "\(partition) shows at \(offset) a part of an append twice or out of order")
    }
    if part == 0 { try checkFirst(attempt, at: offset) }
    attempt.offsets.append(offset.rawValue)
    if attempt.isWhole { finish(attempt) }
    cluster.attempts[header.id] = attempt
    entries.append(
      Entry(
        offset: offset.rawValue, content: content, key: key, timestamp: timestamp,
        isTombstone: isTombstone))
    newest[key] = offset.rawValue
    end = Offset(offset.rawValue + 1)
  }

  private func checkFirst(_ attempt: ClusterLedger.Attempt, at offset: Offset) throws(Broken) {
    if let refusal = attempt.refusal {
      throw Broken(13, "\(partition) shows at \(offset) an append that was refused: \(refusal)")
    }
    if let stored = attempt.storedAt, stored != offset {
      throw Broken(13, "\(partition) shows at \(offset) what lay at \(stored)")
    }
    if let writer = attempt.batch.writer, let current = epochs[writer.id], writer.epoch < current {
      throw Broken(
        16,
        "\(partition) shows at \(offset) a record of epoch \(writer.epoch) after epoch \(current) was in"
      )
    }
    guard let key = attempt.batch.idempotencyKey else { return }
    for place in cluster.places[key] ?? [] where !cluster.isForgotten(place) {
      // Twice is right when the other was not there yet as this one's client looked.
      guard let prepared = attempt.preparedTo, let last = place.offsets.last,
        last >= prepared.rawValue
      else {
        throw Broken(
          18, "\(partition) shows at \(offset) the append \(key), which lies at \(place.offsets)")
      }
    }
  }

  private mutating func finish(_ attempt: ClusterLedger.Attempt) {
    guard let first = attempt.offsets.first, let last = attempt.offsets.last else { return }
    if let key = attempt.batch.idempotencyKey {
      cluster.places[key, default: []].append(ClusterLedger.Place(offsets: attempt.offsets))
    }
    if last - first + 1 == Int64(attempt.offsets.count), last > first {
      cluster.spans.append((first, last))
    }
  }

  /// Law: records of a batch become visible together.
  func checkWhole(at next: Offset) throws(Broken) {
    for span in cluster.spans.reversed() {
      if span.last < next.rawValue { return }
      if span.first < next.rawValue, !cluster.gone.contains(span.last) {
        throw Broken(13, "\(partition) shows the append at \(span.first) up to \(next) only")
      }
    }
  }

  /// Somebody was told that an append is there.
  func checkCluster(acknowledged key: String, before end: Offset) throws(Broken) {
    let places = cluster.places[key] ?? []
    let isStored = cluster.attempts.values.contains {
      $0.batch.idempotencyKey == key && $0.storedAt.map { $0.rawValue + 1 } == end.rawValue
    }
    guard isStored || places.contains(where: { $0.offsets.last.map { $0 + 1 } == end.rawValue })
    else {
      throw Broken(13, "\(key) was acknowledged before \(end) of \(partition) and is not there")
    }
  }
}
