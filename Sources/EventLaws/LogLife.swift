import EventStorage
import PropertyTesting

/// One life of a log: commands, and a model that says what must come of them.
struct LogLife<Subject: LogUnderTest> {
  let law: LogLaw
  var subject: Subject
  var log: Subject.Log
  var models: [Partition: PartitionModel] = [:]
  let partitions: [Partition]
  /// Something was told to fail, so that an operation may.
  var isArmed = false
  /// The same appends in memory (law 17), until something fails.
  var memory: MemoryLog?
  var time: Int64 = 1_000
  private var batchCount = 0

  init(_ subject: Subject, of law: LogLaw) async throws {
    self.law = law
    self.subject = subject
    log = try await self.subject.open()
    partitions = [log.layout.partitions(of: .messages)[0], log.layout.partitions(of: .topology)[0]]
    for partition in partitions { models[partition] = PartitionModel() }
    if law == .agreement { memory = MemoryLog(identity: log.identity, layout: log.layout) }
  }

  func can(_ ability: LogAbility) -> Bool { Subject.abilities.contains(ability) }

  mutating func live(_ choices: inout Choices) async throws {
    for _ in 0..<24 {
      guard let command = command(&choices) else { break }
      try await run(command, &choices)
    }
    switch law {
    case .corruption: try await damaged(&choices)
    case .failedSync where isArmed: try await crash(&choices)
    case .durability: try await crash(&choices)
    default: try compare(&choices)
    }
  }

  // MARK: Commands

  private enum Command {
    case append, retry, fence, zombie, restart, crash, fail, compact
  }

  /// What comes next, as often as the law needs it; nil ends the life.
  private func command(_ choices: inout Choices) -> Command? {
    func when(_ ability: LogAbility, _ weight: Int, _ laws: LogLaw...) -> Int {
      can(ability) ? laws.contains(law) ? weight * 3 : law == .corruption ? 0 : weight : 0
    }
    let armable = [.agreement, .compaction, .timeTravel].contains(law) || isArmed ? 0 : 1
    // The end is the simplest, and few numbers make a command: so a case without it is easily tried.
    return choices.weighted([
      (2, nil), (10, .append),
      (law == .idempotence ? 8 : 2, .retry),
      (law == .fencing ? 4 : 1, .fence), (law == .fencing ? 8 : 1, .zombie),
      (when(.restart, 1, .idempotence, .fencing), .restart),
      (law == .agreement ? 0 : when(.crash, 1, .durability), .crash),
      (armable * when(.failure, 1, .failedSync, .durability), .fail),
      (law == .agreement ? 0 : when(.compaction, 1, .compaction, .timeTravel), .compact),
    ])
  }

  private mutating func run(_ command: Command, _ choices: inout Choices) async throws {
    let partition = choices.element(of: partitions)
    switch command {
    case .append: try await append(batches(in: partition, &choices), to: partition, &choices)
    case .retry: try await retry(in: partition, &choices)
    case .fence: try await fence(choices.oneIn(3) ? 2 : 1, in: partition, &choices)
    case .zombie: try await zombie(in: partition, &choices)
    case .restart:
      try await restart(&choices)
    case .crash: try await crash(&choices)
    case .fail:
      choices.label("failure")
      choices.note("something fails from now on")
      isArmed = true
      try await subject.failSoon(log, &choices)
    case .compact:
      guard !isArmed else { return }
      choices.label("compaction")
      choices.note("compact \(partition)")
      try await subject.compact(log, partition, &choices)
      // A log may compact more than it was asked to.
      for partition in partitions { models[partition]?.isCompacted = true }
      try compare(&choices)
    }
  }

  /// One batch, or a burst of some: the same one twice, now and then, before the first is answered.
  private mutating func batches(
    in partition: Partition, _ choices: inout Choices
  ) -> [AppendBatch] {
    let hasKey = choices.oneIn(law == .idempotence ? 2 : 3)
    let more = law == .durability || law == .idempotence ? 3 : 1
    var batches: [AppendBatch] = []
    while true {
      batches.append(batch(in: partition, hasKey: hasKey, &choices))
      guard batches.count < 4 else { return batches }
      switch choices.weighted([(9, 0), (more, 1), (1, 2)]) {
      case 0: return batches
      case 1: continue
      default:
        guard hasKey else { return batches }
        choices.label("twice in a burst")
        return batches + [batches[0]]
      }
    }
  }

  private mutating func batch(
    in partition: Partition, hasKey: Bool, _ choices: inout Choices
  ) -> AppendBatch {
    // Time runs backwards now and then.
    time += Int64(choices.int(in: -2...9))
    batchCount += 1
    let number = batchCount
    var records = [record(number, &choices)]
    records += choices.array(atMost: 3, mean: 1) { record(number, &$0) }
    let model = models[partition] ?? PartitionModel()
    let writers = model.epochs.keys.filter { !model.doubtful.contains($0) }.sorted()
    var writer: Writer?
    // Drawn whether there is a writer or not, so that a case without the fence is the same otherwise.
    if choices.oneIn(2), !writers.isEmpty {
      let id = choices.element(of: writers)
      writer = Writer(id: id, epoch: model.epochs[id] ?? 0)
    }
    return AppendBatch(
      records, timestamp: time, idempotencyKey: hasKey ? "batch \(number)" : nil, writer: writer)
  }

  private func record(_ number: Int, _ choices: inout Choices) -> NewRecord {
    let place = choices.int(in: 0...35)
    let key = [UInt8(0x61 + place % 4)]
    switch place / 4 {
    case 0...4: return NewRecord(key: key, value: Array("\(number)".utf8))
    case 5...6:
      choices.label("tombstone")
      return NewRecord(key: key, value: nil)
    case 7: return NewRecord(key: key, value: [])
    default:
      let size = choices.int(in: 0...700)
      return NewRecord(key: key, value: [UInt8](repeating: UInt8(number % 256), count: size))
    }
  }
}
