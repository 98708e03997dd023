internal import EventStorage
internal import KafkaStorage

/// What the oracle sees of a cluster, and what it is told by the clients of it.
extension Oracle {
  func attempt(_ id: AppendHeader.ID, _ batch: AppendBatch, in partition: Partition) {
    ledgers[partition]?.attempt(id, batch)
  }

  /// A client has looked for the append's idempotency key in everything before `end`.
  func prepared(_ id: AppendHeader.ID, upTo end: Offset, in partition: Partition) {
    ledgers[partition]?.cluster.attempts[id]?.preparedTo = end
  }

  func acknowledge(
    _ id: AppendHeader.ID, in partition: Partition, _ answer: Result<Appended, LogError>
  ) throws(Broken) {
    switch answer {
    case .failure(.fenced): counts.refusedStale += 1
    case .failure(.outcomeUnknown): counts.unknownOutcomes += 1
    default: break
    }
    try ledgers[partition]?.acknowledge(id, answer)
  }

  /// A leader has a record that nothing can take away again, and readers do not see it yet.
  func stored(_ id: AppendHeader.ID, at offset: Offset, in partition: Partition) {
    ledgers[partition]?.cluster.attempts[id]?.storedAt = offset
  }

  /// A record has become visible.
  func admit(
    _ record: ProducedRecord, at offset: Offset, to partition: Partition
  ) throws(Broken) {
    let new = NewRecord(key: record.key, value: record.value)
    let attempt = ledgers[partition]?.cluster.attempts[record.header.id]
    if let key = attempt?.batch.idempotencyKey, ledgers[partition]?.cluster.places[key] != nil {
      counts.doubled += 1
      doubled.insert(keyOf(new))
    }
    try ledgers[partition]?.admit(
      record.header, key: keyOf(new), content: contentOf(new), isTombstone: record.value == nil,
      timestamp: record.timestamp, at: offset)
    var batch = BatchBuilder()
    batch.take(
      .init(
        offset: offset, timestamp: record.timestamp, key: record.key, value: record.value,
        header: nil))
    if let batch = batch.finish() { fold(batch, of: partition) }
  }

  /// Whether streams may show a message of this key twice: tries at the same moment at two instances put it into the log twice.
  func mayRepeat(_ key: [UInt8]) -> Bool { doubled.contains(contentHash(key)) }

  /// Compaction has looked at everything before `end`, and taken these.
  func cleaned(_ partition: Partition, _ gone: [Offset], before end: Offset) {
    guard !gone.isEmpty else { return }
    ledgers[partition]?.cluster.gone.formUnion(gone.map(\.rawValue))
    compactedTo[partition] = max(end, compactedTo[partition, default: .zero])
  }

  func retained(_ partition: Partition, from start: Offset) { ledgers[partition]?.start = start }
}
