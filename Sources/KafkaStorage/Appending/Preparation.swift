internal import EventStorage

/// What must be asked of the broker around an append, on one thread, many appends with one question.
///
/// Before an append with an idempotency key: has another instance appended it? The partition is read to its end, as that is now.
/// After an append that failed when it may have arrived: has it? Again the partition is read to its end.
final class Preparation: Sendable {
  enum Purpose {
    /// To be sent when it is known to be new.
    case send
    /// Sent, and failed like this.
    case resolve(String)
  }

  private struct Item {
    let number: UInt64
    let partition: Partition
    let purpose: Purpose
    let deadline: ContinuousClock.Instant
    /// The partition has to be read up to here.
    var target: Offset?
  }

  private struct Shared {
    var items: [Item] = []
    var isClosed = false
    var hasEnded = false
  }

  private let options: KafkaLog.Options
  private let appends: PendingAppends
  private let tails: TailReader
  private let pool: ReaderPool
  private let send: @Sendable (UInt64, PendingAppends.Pending, Tail) -> Void
  private let shared = Monitor<Shared>(Shared())

  init(
    _ options: KafkaLog.Options, _ appends: PendingAppends, _ tails: TailReader,
    _ pool: ReaderPool, send: @escaping @Sendable (UInt64, PendingAppends.Pending, Tail) -> Void
  ) {
    self.options = options
    self.appends = appends
    self.tails = tails
    self.pool = pool
    self.send = send
  }

  func start() { startThread(for: "questions about appends") { self.run() } }

  func take(_ number: UInt64, in partition: Partition, for purpose: Purpose) {
    guard let pending = appends[number] else { return }
    let deadline: ContinuousClock.Instant =
      switch purpose {
      case .send: pending.deadline - (options.appendTimeout - options.sendTimeout)
      case .resolve: pending.deadline
      }
    shared.change {
      $0.items.append(
        Item(number: number, partition: partition, purpose: purpose, deadline: deadline))
    }
  }

  /// An append was sent and failed, and may have arrived.
  @Sendable func doubt(_ number: UInt64, _ failure: String) {
    guard let pending = appends[number] else { return }
    appends.note(number, failure)
    take(number, in: pending.partition, for: .resolve(failure))
  }

  func close() {
    shared.change { $0.isClosed = true }
    _ = shared.wait(for: options.requestTimeout * 2) { $0.hasEnded }
  }

  private func run() {
    var items: [Item] = []
    var questions = EndQuestions()
    while true {
      if items.isEmpty {
        _ = shared.wait(for: .seconds(1)) { $0.isClosed || !$0.items.isEmpty }
      }
      let isClosed = shared.withLock { shared in
        items += shared.items
        shared.items = []
        return shared.isClosed
      }
      if isClosed { break }
      pool.tidy()
      guard !items.isEmpty else { continue }
      ask(&items, &questions)
      var isStuck = false
      items = items.filter { !finish($0, trouble: questions.trouble, &isStuck) }
      if isStuck {
        _ = shared.wait(for: .milliseconds(20)) { $0.isClosed }
      } else if let first = items.first {
        wait(for: first)
      }
    }
    for item in items where appends[item.number]?.isUnsent == true {
      appends.answer(item.number, .failure(.closed))
    }
    shared.change { $0.hasEnded = true }
  }

  /// Asks where the partitions end, once for all that do not know yet.
  private func ask(_ items: inout [Item], _ questions: inout EndQuestions) {
    let partitions = Set(items.filter { $0.target == nil }.map(\.partition))
    guard !partitions.isEmpty else { return }
    let ends = questions.ends(
      of: partitions.sorted(), within: min(options.requestTimeout, .seconds(1))
    ) { partitions, duration throws(KafkaFailure) in
      try tails.ends(of: partitions, within: duration)
    }
    for index in items.indices where items[index].target == nil {
      items[index].target = ends[items[index].partition]
    }
  }

  /// Until the first of those that are not done can be, or for a moment: the others are looked at, too.
  private func wait(for item: Item) {
    guard let target = item.target, let tail = try? tails.follow(item.partition) else {
      _ = shared.wait(for: .milliseconds(20)) { $0.isClosed }
      return
    }
    _ = tail.state.wait(for: .milliseconds(20)) { $0.phase != .ready || $0.readTo >= target }
    if !tail.isReady { _ = shared.wait(for: .milliseconds(20)) { $0.isClosed } }
  }

  /// Deals with an item if it can be; true when it is done.
  /// - Parameter isStuck: becomes true when it is not, though its partition has been read.
  private func finish(_ item: Item, trouble: String?, _ isStuck: inout Bool) -> Bool {
    guard let pending = appends[item.number] else { return true }
    if let breach = tails.tails[item.partition]?.breach {
      appends.answer(
        item.number,
        .failure(pending.isUnsent ? breach : .outcomeUnknown(detail: "\(breach)")))
      return true
    }
    if let target = item.target, let tail = try? tails.follow(item.partition),
      tail.state.withLock({ $0.phase == .ready && $0.readTo >= target })
    {
      switch item.purpose {
      case .send:
        let isDone = prepare(item, pending, tail)
        if !isDone { isStuck = true }
        return isDone
      case .resolve(let failure):
        // Not there. It may still be on its way: nothing keeps a client out that is not fenced.
        appends.answer(item.number, .failure(.outcomeUnknown(detail: failure)))
        return true
      }
    }
    guard .now > item.deadline else { return false }
    let detail = trouble ?? "the end of \(item.partition) could not be read in time"
    switch item.purpose {
    case .send: appends.answer(item.number, .failure(.unavailable(detail: detail)))
    case .resolve(let failure):
      appends.answer(item.number, .failure(.outcomeUnknown(detail: "\(failure), \(detail)")))
    }
    return true
  }

  /// Everything up to the end is known: answers a repeat, and sends what is new.
  private func prepare(_ item: Item, _ pending: PendingAppends.Pending, _ tail: Tail) -> Bool {
    if let key = pending.batch.idempotencyKey {
      do throws(LogError) {
        try completeKeys(of: tail)
      } catch {
        if .now > item.deadline { appends.answer(item.number, .failure(error)) }
        return .now > item.deadline
      }
      // Whether a writer is still let in comes before what it repeats: its transactor looks.
      if pending.batch.writer == nil {
        guard appends.claimKey(of: item.number) else { return true }
        // After the claim: an append that is answered in between is in the tail by then.
        if let answer = tail.state.withLock({ $0.keys.answer(to: key) }) {
          appends.answer(item.number, .success(answer))
          return true
        }
      }
    }
    send(item.number, pending, tail)
    return true
  }

  /// Reads the keys of what lies before where the tail began, unless that was done.
  private func completeKeys(of tail: Tail) throws(LogError) {
    let (isComplete, from, start, end) = tail.state.withLock {
      ($0.keys.isComplete, $0.keys.from, $0.start, $0.readTo)
    }
    if isComplete { return }
    let first = max(start, Offset(end.rawValue - options.idempotencyOffsets))
    var keys: [(key: String, place: Appended)] = []
    if first < from {
      keys = try pool.with(at: tail.partition, first) { reader throws(LogError) in
        try reader.keys(of: tail.partition, from: first, until: from)
      }
    }
    tail.state.withLock { state in
      if state.keys.from == from { state.keys.complete(with: keys) }
    }
  }
}
