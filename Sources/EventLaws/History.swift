public import EventStorage
public import PropertyTesting

/// What a partition holds: records in the order of their offsets, which have holes, with times that never run backwards.
public struct History: Hashable, Sendable {
  /// The partition.
  public var partition: Partition
  /// In the order of their offsets.
  public var records: [LoggedRecord]

  /// These records of a partition.
  public init(_ partition: Partition, _ records: [LoggedRecord]) {
    self.partition = partition
    self.records = records
  }

  /// The position behind the last record.
  public var end: Offset { records.last?.next ?? .zero }

  /// The position behind the first `count` records.
  public func position(after count: Int) -> Offset {
    count == 0 ? .zero : records[count - 1].next
  }
}

extension History: CustomStringConvertible {
  /// A line for the partition and one for each record.
  public var description: String {
    "\(partition), \(records.count) records"
      + records.map { "\n  \($0)" }.joined()
  }
}

extension Choices {
  /// A history of a partition: what the source gives, and among it what a log has besides: tombstones, records that were written
  /// twice, poison, unknown types, strangers and older versions, each under its label.
  public mutating func history(of source: RecordSource, atMost limit: Int = 40) -> History {
    // Each record is followed by its place, so that cutting one out of the tape leaves the others as they are.
    var placing = Placing()
    var written: [NewRecord] = []
    var placed: [LoggedRecord] = []
    while written.count < limit, next(below: 9) != 0 {
      written.append(record(of: source, after: written))
      placed.append(placing.place(written[written.count - 1], &self))
    }
    return History(source.partition, placed)
  }

  /// The records of a history, without their places.
  public mutating func records(of source: RecordSource, atMost limit: Int = 40) -> [NewRecord] {
    var written: [NewRecord] = []
    while written.count < limit, next(below: 9) != 0 {
      written.append(record(of: source, after: written))
    }
    return written
  }

  /// Gives records places in a partition.
  public mutating func place(_ records: [NewRecord], in partition: Partition) -> History {
    var placing = Placing()
    return History(partition, records.map { placing.place($0, &self) })
  }

  private struct Placing {
    var offset: Int64 = 0
    var time: Int64 = 1

    mutating func place(_ record: NewRecord, _ choices: inout Choices) -> LoggedRecord {
      // One number for both, so that few numbers make a record, and a history without it is easily tried.
      let step = choices.int(in: 0...29)
      offset += step % 6 == 5 ? Int64(step / 6) : 0
      time += step % 3 == 2 ? Int64(step) : 0
      defer { offset += 1 }
      return LoggedRecord(record, offset: Offset(offset), timestamp: time)
    }
  }

  private enum Kind { case written, tombstone, again, poison, unknown, stranger, old }

  private mutating func record(of source: RecordSource, after written: [NewRecord]) -> NewRecord {
    let kind = weighted([
      (14, Kind.written), (3, .tombstone), (written.isEmpty ? 0 : 1, .again),
      (source.poison.isEmpty ? 0 : 1, .poison), (source.unknown.isEmpty ? 0 : 1, .unknown),
      (source.strangers.isEmpty ? 0 : 1, .stranger), (source.versions.isEmpty ? 0 : 1, .old),
    ])
    switch kind {
    case .written: return source.record(&self)
    case .tombstone:
      label("tombstone")
      return NewRecord(key: source.record(&self).key, value: nil)
    case .again:
      label("written twice")
      return element(of: written)
    case .poison:
      label("poison")
      return NewRecord(key: source.record(&self).key, value: element(of: source.poison))
    case .unknown:
      label("unknown type")
      return NewRecord(key: source.record(&self).key, value: element(of: source.unknown))
    case .stranger:
      label("stranger")
      return element(of: source.strangers)
    case .old:
      label("older version")
      let fact = element(of: source.versions)
      return NewRecord(key: fact.key, value: element(of: fact.values))
    }
  }
}
