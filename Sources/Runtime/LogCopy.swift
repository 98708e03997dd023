import EventStorage
import Events
import Projections
import SegmentStorage

/// Copies the facts and messages of a log into an empty one, partition by partition and in order, and folds them on the way at the
/// places that they get there.
struct LogCopy<Target: EventLog> {
  private let source: SegmentedLog
  private let target: Target
  private let report: (_ records: Int, _ share: Double) -> Void
  private let partitions: [Partition]
  /// How many records were copied.
  private(set) var records = 0

  init(
    from source: SegmentedLog, to target: Target,
    reporting report: @escaping (_ records: Int, _ share: Double) -> Void
  ) {
    self.source = source
    self.target = target
    self.report = report
    partitions = source.layout.all.filter { $0.topic != .observations }
  }

  /// Copies everything.
  /// - Returns: what the source folds to.
  mutating func run() throws -> [FoldDigest] {
    var digests: [FoldDigest] = []
    var done: Int64 = 0
    var whole: Int64 = 1
    for partition in partitions {
      let bounds = try source.bounds(of: partition)
      whole += bounds.end.rawValue - bounds.start.rawValue
    }
    for partition in partitions {
      var folds = Folds(partition)
      let bounds = try source.bounds(of: partition)
      var position = bounds.start
      // Ready, so that records go out in the order in which they are given.
      _ = try target.bounds(of: partition)
      var keys = CopiedKeys(from: bounds.end.rawValue - Int64(LogLimits.idempotencyKeysMax))
      while position < bounds.end {
        var chunk = RecordChunkSink()
        let next = try source.read(partition, from: position, bytesMax: 1 << 20, into: &chunk)
        try append(&chunk, to: partition, &keys)
        folds.apply(chunk)
        records += chunk.rows.count
        done += next.rawValue - position.rawValue
        position = next
        report(records, Double(done) / Double(whole))
      }
      digests += folds.digests
    }
    return digests
  }

  /// What the target folds to, read back.
  func digestsOfTarget() throws -> [FoldDigest] {
    try partitions.flatMap { partition in
      var folds = Folds(partition)
      try folds.catchUp(with: target)
      return folds.digests
    }
  }

  /// Lives of nodes are numbered by the offsets of observations: new ones must have higher numbers than those that were given.
  func raiseObservations(above incarnation: UInt64) throws {
    for partition in target.layout.partitions(of: .observations) {
      while try target.bounds(of: partition).end.rawValue < Int64(clamping: incarnation) {
        let end = try target.bounds(of: partition).end.rawValue
        let count = min(10_000, Int64(clamping: incarnation) - end)
        var chunk = RecordChunkSink()
        for _ in 0..<count { chunk.add(EventKey.timePassed.bytes, TimePassed.encoded) }
        var keys = CopiedKeys(from: .max)
        try append(&chunk, to: partition, &keys)
      }
    }
  }

  /// Appends the records one by one, all under way together, and notes where each came to lie.
  private func append(
    _ chunk: inout RecordChunkSink, to partition: Partition, _ keys: inout CopiedKeys
  ) throws {
    let count = chunk.rows.count
    let answers = Monitor(Answers(offsets: Array(repeating: .zero, count: count), left: count))
    for (index, row) in chunk.rows.enumerated() {
      let record = chunk.record(row)
      let batch = AppendBatch(
        [record], timestamp: row.timestamp, idempotencyKey: keys.key(of: record, at: row.offset))
      target.append(batch, to: partition) { result in
        answers.change { answers in
          answers.left -= 1
          switch result {
          case .success(let place): answers.offsets[index] = place.first
          case .failure(let error): answers.failure = answers.failure ?? error
          }
        }
      }
    }
    while !answers.wait(for: .seconds(60), until: { $0.left == 0 }) {}
    let (offsets, failure) = answers.withLock { ($0.offsets, $0.failure) }
    if let failure { throw failure }
    for index in offsets.indices.dropFirst() where offsets[index] <= offsets[index - 1] {
      throw MigrationFailure(
        description: "records of \(partition) came to lie in another order; nothing was moved: "
          + "delete the topics of the new log and start again")
    }
    chunk.place(at: offsets)
  }
}

/// Where records came to lie that are under way together.
private struct Answers: Sendable {
  var offsets: [Offset]
  var left: Int
  var failure: LogError?
}

/// What a partition of a log folds to.
struct FoldDigest: Equatable {
  var place: String
  var digest: String
}

/// The folds of a partition that are compared.
private struct Folds {
  private let partition: Partition
  private var channels: Fold<Channels>
  private var directory: Fold<Directory>
  private var routes: Fold<RoutingTable>

  init(_ partition: Partition) {
    self.partition = partition
    channels = Fold(partition)
    directory = Fold(partition)
    routes = Fold(partition)
  }

  mutating func apply(_ chunk: RecordChunkSink) {
    guard let last = chunk.rows.last else { return }
    let next = Offset(last.offset.rawValue + 1)
    channels.apply(chunk.bytes.span.bytes, chunk.rows.span, next: next)
    directory.apply(chunk.bytes.span.bytes, chunk.rows.span, next: next)
    routes.apply(chunk.bytes.span.bytes, chunk.rows.span, next: next)
  }

  mutating func catchUp(with log: some EventLog) throws(LogError) {
    try channels.catchUp(with: log)
    try directory.catchUp(with: log)
    try routes.catchUp(with: log)
  }

  /// Of the projections that the topic is for.
  var digests: [FoldDigest] {
    switch partition.topic {
    case .messages:
      [.init(place: "\(partition) \(Channels.name)", digest: channels.state.digest)]
    case .topology:
      [
        .init(place: "\(partition) \(Directory.name)", digest: directory.state.digest),
        .init(place: "\(partition) \(RoutingTable.name)", digest: routes.state.digest),
      ]
    case .deliveries, .observations: []
    }
  }
}

/// Records of a partition in one piece.
private struct RecordChunkSink: RecordSink {
  private(set) var bytes: [UInt8] = []
  private(set) var rows: [RecordRow] = []

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    let base = Int32(self.bytes.count)
    bytes.withUnsafeBytes { self.bytes.append(contentsOf: $0) }
    for index in rows.indices {
      var row = rows[index]
      row.keyStart += base
      row.valueStart += base
      self.rows.append(row)
    }
  }

  /// A record of its own making.
  mutating func add(_ key: [UInt8], _ value: [UInt8]) {
    rows.append(
      RecordRow(
        offset: .zero, timestamp: wallClock(), keyStart: Int32(bytes.count),
        keyLength: Int32(key.count), valueStart: Int32(bytes.count + key.count),
        valueLength: Int32(value.count)))
    bytes += key + value
  }

  func record(_ row: RecordRow) -> NewRecord {
    NewRecord(
      key: Array(bytes[row.key]), value: row.isTombstone ? nil : Array(bytes[row.value]))
  }

  mutating func place(at offsets: [Offset]) {
    for index in rows.indices { rows[index].offset = offsets[index] }
  }
}

/// Under which idempotency keys records are copied: a publish that is tried again after the move is still there once (law 18).
private struct CopiedKeys {
  /// From here on keys count.
  let start: Int64
  private var seen: Set<String> = []

  init(from start: Int64) { self.start = start }

  /// The id of a message: what it was published under when it was published under a key at all.
  mutating func key(of record: NewRecord, at offset: Offset) -> String? {
    guard offset.rawValue >= start, let value = record.value else { return nil }
    let bytes = value.span.bytes
    guard
      case .event(.messagePublished, let body)? = try? EventEnvelope.read(
        0..<value.count, of: bytes),
      let message = try? MessageFields(body: body, of: bytes)
    else { return nil }
    let id = String(decoding: value[message.id], as: UTF8.self)
    guard !id.isEmpty, id.utf8.count <= LogLimits.idempotencyKeyBytesMax,
      seen.insert(id).inserted
    else { return nil }
    return id
  }
}
