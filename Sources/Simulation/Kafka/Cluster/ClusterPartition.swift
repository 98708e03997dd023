internal import EventStorage
internal import KafkaStorage

/// One partition as its leader holds it: records, markers of transactions, what its producers sent last.
///
///     start        cleaned      stable end       end
///     ──┼─────────────┼──────────────┼─────────────┼
///                     transaction open ─ a commit or abort marker ends it
struct ClusterPartition {
  enum State {
    /// In a transaction that has not ended.
    case open
    case committed
    case aborted
    /// A commit or abort marker: no reader sees it, and it has an offset.
    case marker
  }

  struct Entry {
    var offset: Offset
    var record: ProducedRecord
    var producer: ProducerLife
    var state: State
    var isTransactional = false
    /// When the cleaner may take it, once it has seen it: of tombstones and markers.
    var goesAt: Int64?
    /// The end of the segment that it lies in is closed.
    var segment: Int
  }

  private struct Producer {
    var epoch: Int
    var nextSequence = 0
    /// The last requests: one that comes again is answered as it was.
    var recent: [(sequence: Int, first: Offset)] = []
  }

  /// So many requests of a producer may be under way.
  private static let recentMax = 5

  let topic: KafkaTopic
  var entries: [Entry] = []
  var start = Offset.zero
  private(set) var end = Offset.zero
  /// Where the transaction of a producer begins, by producer.
  private(set) var open: [Int64: Offset] = [:]
  private var producers: [Int64: Producer] = [:]
  private var segment = 0
  private var segmentCount = 0
  var forgetsFence = false
  var forgetsSequence = false

  init(_ topic: KafkaTopic) { self.topic = topic }

  /// The last stable offset: whoever reads what is committed comes no further.
  var stableEnd: Offset { open.values.min() ?? end }

  func end(_ isolation: Isolation) -> Offset { isolation == .committed ? stableEnd : end }

  /// Segments before this are closed.
  var openSegment: Int { segment }

  // MARK: Writing

  mutating func append(
    _ records: [ProducedRecord], by life: ProducerLife, sequence: Int, isTransactional: Bool
  ) throws(KafkaRefusal) -> Offset {
    var producer = producers[life.id] ?? Producer(epoch: life.epoch)
    if life.epoch < producer.epoch, !forgetsFence { throw .fenced }
    if life.epoch != producer.epoch {
      guard sequence == 0 else { throw .outOfSequence }
      producer = Producer(epoch: life.epoch)
    }
    if !forgetsSequence {
      if let known = producer.recent.first(where: { $0.sequence == sequence }) {
        return known.first
      }
      guard sequence == producer.nextSequence else { throw .outOfSequence }
    }
    let first = end
    for record in records {
      add(record, by: life, isTransactional ? .open : .committed)
    }
    if isTransactional, open[life.id] == nil { open[life.id] = first }
    producer.nextSequence = sequence + records.count
    producer.recent.append((sequence, first))
    if producer.recent.count > ClusterPartition.recentMax { producer.recent.removeFirst() }
    producers[life.id] = producer
    return first
  }

  /// Ends the transaction of a producer. With a marker of a newer epoch the older ones are kept out.
  mutating func end(by life: ProducerLife, commits: Bool) {
    if let first = open.removeValue(forKey: life.id) {
      for index in entries.indices
      where entries[index].offset >= first && entries[index].producer.id == life.id
        && entries[index].state == .open
      {
        entries[index].state = commits ? .committed : .aborted
      }
    }
    if producers[life.id]?.epoch != life.epoch { producers[life.id] = Producer(epoch: life.epoch) }
    let nothing = ProducedRecord(
      key: [], value: nil, timestamp: 0,
      header: AppendHeader(id: .init(instance: 0, number: 0), following: 0))
    add(nothing, by: life, .marker)
  }

  private mutating func add(_ record: ProducedRecord, by life: ProducerLife, _ state: State) {
    entries.append(
      Entry(
        offset: end, record: record, producer: life, state: state,
        isTransactional: state != .committed, segment: segment))
    end = Offset(end.rawValue + 1)
    segmentCount += 1
  }

  mutating func roll(at count: Int) {
    guard segmentCount >= count else { return }
    segment += 1
    segmentCount = 0
  }

  // MARK: Reading

  /// The first entry at or behind an offset.
  func index(of offset: Offset) -> Int {
    var lower = 0
    var upper = entries.count
    while lower < upper {
      let middle = (lower + upper) / 2
      if entries[middle].offset < offset { lower = middle + 1 } else { upper = middle }
    }
    return lower
  }

  func read(from offset: Offset, _ isolation: Isolation, recordsMax: Int) -> KafkaFetched {
    let limit = end(isolation)
    var fetched = KafkaFetched(topic: topic, from: offset, next: offset, start: start, end: limit)
    if offset < start || offset > end {
      fetched.refusal = .outOfRange(start: start, end: end)
      return fetched
    }
    var place = index(of: offset)
    while place < entries.count, entries[place].offset < limit {
      let entry = entries[place]
      let isSeen =
        entry.state == .committed || (isolation == .uncommitted && entry.state != .marker)
      if isSeen {
        guard fetched.records.count < recordsMax else { return fetched }
        fetched.records.append(
          .init(
            offset: entry.offset, timestamp: entry.record.timestamp, key: entry.record.key,
            value: entry.record.value, header: entry.record.header))
      }
      fetched.next = Offset(entry.offset.rawValue + 1)
      place += 1
    }
    fetched.next = max(fetched.next, limit, offset)
    return fetched
  }

  /// The first offset whose record is not older than `time`.
  func offset(notBefore time: Int64) -> Offset? {
    entries.first { $0.state != .marker && $0.record.timestamp >= time }?.offset
  }
}
