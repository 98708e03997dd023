import EventStorage
import PropertyTesting

/// Crashes and restarts, and what must be found after them.
extension LogLife {
  mutating func crash(_ choices: inout Choices) async throws {
    guard can(.crash) else { return }
    choices.label("crash")
    choices.note("crash")
    try await subject.crash(log, &choices)
    log.close()
    for partition in partitions where models[partition]?.pending.isEmpty == false {
      choices.label("crash with appends under way")
    }
    try await reopen(&choices)
  }

  mutating func restart(_ choices: inout Choices) async throws {
    guard !models.values.contains(where: \.isStopped) else { return try await crash(&choices) }
    choices.label("restart")
    choices.note("restart")
    log.close()
    guard isArmed else { return try await reopen(&choices) }
    do {
      log = try await subject.open()
    } catch is LogError {
      choices.label("failure while opening")
      try await crash(&choices)
    }
  }

  private mutating func reopen(_ choices: inout Choices) async throws {
    isArmed = false
    log = try await subject.open()
    for partition in partitions { change(partition) { $0.isStopped = false } }
    try compare(&choices)
  }

  /// Everything that the log holds against the model; and against memory (law 17).
  mutating func compare(_ choices: inout Choices) throws {
    guard !isArmed else { return }
    for partition in partitions {
      let found = try records(of: partition)
      let bounds = try log.bounds(of: partition)
      try change(partition) { model throws(NotHeld) in
        let gone = try model.settle(found, bounds)
        if !gone.isEmpty { choices.label("compacted") }
        if gone.contains(where: { $0.value == nil }) { choices.label("tombstone dropped") }
      }
      guard let memory else { continue }
      let expected = try records(of: partition, in: memory)
      try same(
        found.map(Placeless.init), expected.map(Placeless.init),
        "law 17: the records of \(partition), and those in memory")
    }
  }

  /// Law 14: what is damaged is named; everything before it, and nothing else, is served.
  mutating func damaged(_ choices: inout Choices) async throws {
    try compare(&choices)
    guard let partition = partitions.first(where: { (models[$0]?.records.count ?? 0) > 2 }) else {
      return
    }
    log.close()
    choices.label("damage")
    choices.note("damage to \(partition)")
    try await subject.damage(partition, &choices)
    var sink = RecordCopies()
    do {
      log = try await subject.open()
      let bounds = try log.bounds(of: partition)
      var position = bounds.start
      while position < bounds.end {
        position = try log.read(partition, from: position, bytesMax: 4_096, into: &sink)
      }
    } catch let error as LogError {
      try servedBefore(error, sink.records, partition)
      choices.label("damage named")
      return
    }
    let records = models[partition]?.records ?? []
    try same(sink.records, records, "law 14: a damaged log that names no damage")
  }

  private func servedBefore(
    _ error: LogError, _ served: [LoggedRecord], _ partition: Partition
  ) throws(NotHeld) {
    switch error {
    case .corrupt(partition, at: let offset, detail: _):
      try hold(
        served.allSatisfy { $0.offset < offset },
        "law 14: damage is named at \(offset), and records behind it were served")
    case .cannotOpen: break
    default: try hold(false, "law 14: damage to \(partition) is named as: \(error)")
    }
    let records = models[partition]?.records ?? []
    try same(served, Array(records.prefix(served.count)), "law 14: what a damaged log serves")
  }

  private func records(of partition: Partition) throws -> [LoggedRecord] {
    try records(of: partition, in: log)
  }

  private func records(
    of partition: Partition, in log: some EventLog
  ) throws -> [LoggedRecord] {
    var sink = RecordCopies()
    let bounds = try log.bounds(of: partition)
    var position = bounds.start
    while position < bounds.end {
      let next = try log.read(partition, from: position, bytesMax: 4_096, into: &sink)
      try hold(next > position, "reading \(partition) from \(position) does not move on")
      position = next
    }
    try hold(sink.isOrdered, "law 13: records were lent out of order")
    return sink.records
  }
}

/// A record without its offset: logs may leave other holes.
private struct Placeless: Equatable, CustomStringConvertible {
  var record: NewRecord
  var timestamp: Int64

  init(_ logged: LoggedRecord) {
    record = logged.record
    timestamp = logged.timestamp
  }

  var description: String { "\(timestamp): \(readable(record))" }
}

/// Copies what it is lent.
private struct RecordCopies: RecordSink {
  private(set) var records: [LoggedRecord] = []
  private(set) var isOrdered = true

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    bytes.withUnsafeBytes { buffer in
      for index in rows.indices {
        let row = rows[index]
        let value = row.isTombstone ? nil : Array(buffer[row.value])
        if let last = records.last, last.offset >= row.offset { isOrdered = false }
        records.append(
          LoggedRecord(
            NewRecord(key: Array(buffer[row.key]), value: value), offset: row.offset,
            timestamp: row.timestamp))
      }
    }
  }
}
