internal import EventStorage
internal import Synchronization

/// Follows the ends of the partitions that somebody needs, on one client and one thread, and answers the appends that it reads.
final class TailReader: Sendable {
  /// A partition is followed from so many offsets before its end on; from further back when these hold no record.
  static let windowMin: Int64 = 256
  /// Chunks are cut here when an append ends, so that a small read stays small.
  static let chunkBytes = 64 << 10

  let tails: [Partition: Tail]
  let pace = FetchPace()
  private let client: Client
  private let options: KafkaLog.Options
  private let appends: PendingAppends
  private let shared = Monitor<Shared>(Shared())

  private struct Shared {
    var isClosed = false
    var hasEnded = false
    /// Partitions that somebody began to need.
    var wanted: Set<Partition> = []
  }

  init(
    _ layout: LogLayout, _ options: KafkaLog.Options, _ properties: KafkaProperties,
    _ appends: PendingAppends
  ) throws(KafkaFailure) {
    self.options = options
    self.appends = appends
    client = try Client(.consumer, properties.follower, pace: pace)
    tails = Dictionary(uniqueKeysWithValues: layout.all.map { ($0, Tail($0)) })
  }

  func start() { startThread(for: "following the log") { self.run() } }

  /// The tail, followed from now on if it was not. Does not wait.
  func follow(_ partition: Partition) throws(LogError) -> Tail {
    guard let tail = tails[partition] else { throw .noSuchPartition(partition) }
    let begins = tail.state.withLock { state in
      state.use()
      guard state.phase == .idle else { return false }
      state.phase = .wanted
      return true
    }
    if begins {
      shared.withLock { _ = $0.wanted.insert(partition) }
      client.wake()
    }
    return tail
  }

  /// The tail once it has been read up to the end, as that was when somebody first asked.
  func ready(_ partition: Partition) throws(LogError) -> Tail {
    let tail = try follow(partition)
    _ = tail.state.wait(for: options.requestTimeout) { $0.phase != .wanted }
    try tail.state.withLock { state throws(LogError) in
      switch state.phase {
      case .ready: return
      case .broken(let error): throw error
      case .closed: throw .closed
      case .idle, .wanted:
        throw .unavailable(
          detail: "\(partition) could not be read to its end within "
            + "\(options.requestTimeout): \(state.trouble ?? "no answer")")
      }
    }
    return tail
  }

  /// Committed ends as the broker has them now.
  func ends(
    of partitions: [Partition], within duration: Duration
  ) throws(KafkaFailure) -> [Offset] {
    try client.ends(
      of: partitions.map { (options.topic($0.topic), $0.index) }, within: duration)
  }

  func watermarks(
    of partition: Partition, within duration: Duration
  ) throws(KafkaFailure) -> (start: Offset, end: Offset) {
    try client.watermarks(of: options.topic(partition.topic), partition.index, within: duration)
  }

  /// The first offset that is not older than `time`; nil when everything is.
  func offset(
    in partition: Partition, notBefore time: Int64, within duration: Duration
  ) throws(KafkaFailure) -> Offset? {
    try client.offsets(
      of: [(options.topic(partition.topic), partition.index)], notBefore: time, within: duration)[0]
  }

  /// Ends the thread; whoever waits for a tail wakes.
  func close() {
    shared.change { $0.isClosed = true }
    client.wake()
    for tail in tails.values {
      tail.state.change {
        $0.phase = .closed
        $0.chunks = []
        $0.oldest = 0
      }
    }
    _ = shared.wait(for: options.requestTimeout * 2) { $0.hasEnded }
  }

  // MARK: The thread

  private func run() {
    var followed: [Partition: Following] = [:]
    var waiting: [Partition: Attempt] = [:]
    var room = MessageRoom()
    var lastLook = ContinuousClock.now
    while true {
      let (isClosed, wanted) = shared.withLock { shared in
        defer { shared.wanted = [] }
        return (shared.isClosed, shared.wanted)
      }
      if isClosed { break }
      for partition in wanted where waiting[partition] == nil { waiting[partition] = Attempt() }
      begin(&waiting, &followed)
      var touched: Set<Partition> = []
      let patience: Duration = waiting.isEmpty ? .milliseconds(500) : .milliseconds(20)
      _ = room.turn(of: client, for: patience) { message in
        take(message, &followed, &touched)
        return .next
      }
      if !touched.isEmpty { pace.hurry() }
      for partition in touched {
        if let following = followed[partition] {
          followed[partition] = publish(following, of: partition)
        }
      }
      for (partition, following) in followed where following.mustRestart {
        followed[partition] = nil
        client.stopReading(options.topic(partition.topic), partition: partition.index)
        if waiting[partition] == nil { waiting[partition] = Attempt() }
      }
      note(client.takeErrors()?.text, followed.keys)
      if ContinuousClock.now - lastLook > .seconds(1) {
        lastLook = .now
        letGo(&followed)
      }
    }
    for partition in followed.keys {
      client.stopReading(options.topic(partition.topic), partition: partition.index)
    }
    shared.change { $0.hasEnded = true }
  }

  /// Begins to follow those that wait for it and whose turn it is. A partition that the broker cannot speak for takes a small share of
  /// this thread's time: the others are followed meanwhile.
  private func begin(
    _ waiting: inout [Partition: Attempt], _ followed: inout [Partition: Following]
  ) {
    let enough = ContinuousClock.now + .seconds(1)
    for (partition, attempt) in waiting where attempt.next <= .now && .now < enough {
      if begin(partition, &followed, within: min(options.requestTimeout, attempt.patience)) {
        waiting[partition] = nil
      } else {
        waiting[partition] = attempt.later
      }
    }
  }

  /// Begins to follow a partition; false when the broker cannot say yet where it ends.
  private func begin(
    _ partition: Partition, _ followed: inout [Partition: Following], within patience: Duration
  ) -> Bool {
    guard let tail = tails[partition] else { return true }
    let topic = options.topic(partition.topic)
    let asked = ContinuousClock.now
    do throws(KafkaFailure) {
      let (start, end) = try client.watermarks(
        of: topic, partition.index, within: patience)
      let window = followed[partition]?.window ?? tail.state.withLock { $0.window }
      let from = max(start, Offset(end.rawValue - window))
      tail.state.change { state in
        if state.phase == .closed { return }
        if state.phase == .ready, state.readTo > end {
          state.phase = .broken(
            .stopped(
              detail: "\(partition) ends at \(end), but was read up to \(state.readTo): the broker "
                + "has lost records, or the topic was made again"))
          return
        }
        // Going on after an error, unless retention has passed by.
        if state.phase == .ready, state.readTo >= start { return }
        state.begin(start: start, from: from)
        state.endSaid = (end, asked)
        state.trouble = nil
        if from == end {
          state.end = end
          state.phase = .ready
        }
      }
      let (position, isWanted) = tail.state.withLock {
        ($0.readTo, $0.phase == .wanted || $0.phase == .ready)
      }
      guard isWanted else {
        giveUp(partition)
        return true
      }
      followed[partition] = Following(from: position, target: end, window: window)
      try client.startReading(
        topic, tag: Int(partition.topic.rawValue) + 1, partition: partition.index, from: position)
      return true
    } catch {
      followed[partition] = nil
      tail.state.change { $0.trouble = error.detail }
      return false
    }
  }

  private func take(
    _ message: Message, _ followed: inout [Partition: Following],
    _ touched: inout Set<Partition>
  ) {
    guard let tag = message.tag, let topic = Topic(rawValue: UInt8(tag - 1)) else { return }
    let partition = Partition(topic, message.partition)
    guard followed[partition] != nil else { return }
    touched.insert(partition)
    followed[partition]?.take(message)
    if let size = followed[partition]?.builder.size, size >= TailReader.chunkBytes,
      let following = followed[partition]
    {
      followed[partition] = publish(following, of: partition)
    }
  }

  /// Makes what was read visible here, when it is whole appends, and answers those that are ours.
  ///
  /// They are answered before anybody is told that everything up to there has been read: who looks for an append then finds that it
  /// has its answer, or that it is not there.
  private func publish(_ gathered: Following, of partition: Partition) -> Following {
    guard let tail = tails[partition] else { return gathered }
    var following = gathered
    let chunk =
      following.folder.isBetweenAppends ? following.builder.finish(from: following.from) : nil
    let appends = chunk == nil ? [] : following.takeWholes()
    let isFollowed = { (state: Tail.State) in state.phase == .wanted || state.phase == .ready }
    if let chunk {
      let answers = tail.state.change { state -> [(AppendHeader.ID, Appended)] in
        guard isFollowed(state) else { return [] }
        state.trouble = nil
        return state.take(
          chunk, appends, cachedBytesMax: options.cachedBytesMax,
          timeMax: options.now() + Int64(options.compactionLag.milliseconds))
      }
      for (id, place) in answers where id.instance == self.appends.instance {
        self.appends.answer(id.number, .success(place))
      }
    }
    tail.state.change { state in
      guard isFollowed(state) else { return }
      if let chunk {
        following.from = chunk.next
        following.hasRecords = true
        state.readTo = max(state.readTo, chunk.next)
      }
      if let end = following.endSeen, following.builder.isEmpty {
        state.readTo = max(state.readTo, end)
        state.trouble = nil
      }
      if state.phase == .wanted, state.readTo >= following.target {
        if following.hasRecords || state.cachedFrom <= state.start {
          if !following.hasRecords { state.end = max(state.end, state.readTo) }
          state.phase = .ready
        } else {
          // Holes only: the last record, and with it the end, lies further back.
          state.window *= 16
          following.mustRestart = true
        }
      }
      if let failure = following.failure { fail(failure, at: following, &state, partition) }
    }
    if following.failure != nil {
      following.failure = nil
      following.mustRestart = true
      giveUp(partition)
    }
    return following
  }

  /// A partition that cannot be read on from where we are.
  private func fail(
    _ failure: (kind: KafkaFailure, at: Offset), at following: Following, _ state: inout Tail.State,
    _ partition: Partition
  ) {
    state.trouble = failure.kind.detail
    if failure.kind.isDamage {
      state.phase = .broken(.corrupt(partition, at: failure.at, detail: failure.kind.detail))
    }
  }

  /// Answers the appends of a partition that is broken: nobody will read them back.
  private func giveUp(_ partition: Partition) {
    guard let breach = tails[partition]?.breach else { return }
    for (number, pending) in appends.all where pending.partition == partition {
      appends.answer(
        number, .failure(pending.isUnsent ? breach : .outcomeUnknown(detail: "\(breach)")))
    }
  }

  private func note(_ trouble: String?, _ partitions: some Sequence<Partition>) {
    guard let trouble else { return }
    for partition in partitions { tails[partition]?.state.withLock { $0.trouble = trouble } }
  }

  /// Stops following what nobody has needed for a while.
  private func letGo(_ followed: inout [Partition: Following]) {
    for partition in followed.keys {
      guard let tail = tails[partition], !appends.hasPending(in: partition) else { continue }
      let isIdle = tail.state.withLock { state in
        guard state.phase == .ready, state.waitersCount == 0,
          .now - state.lastUsed > options.followingIdle
        else { return false }
        state.phase = .idle
        state.begin(start: state.start, from: state.readTo)
        return true
      }
      if isIdle {
        followed[partition] = nil
        client.stopReading(options.topic(partition.topic), partition: partition.index)
      }
    }
  }
}

/// When the broker is asked next where a partition ends, and how long.
private struct Attempt {
  var next = ContinuousClock.now
  var patience = Duration.milliseconds(250)

  /// The one after it failed: with more patience, and after others had their time.
  var later: Attempt {
    Attempt(next: .now + patience * 2, patience: min(.seconds(1), patience * 2))
  }
}

/// What the thread knows of a partition that it follows.
private struct Following {
  var builder = ChunkBuilder()
  var folder = AppendFolder()
  /// Where the next chunk begins.
  var from: Offset
  /// Where the partition ended when it began to be followed.
  let target: Offset
  let window: Int64
  var endSeen: Offset?
  var hasRecords = false
  var mustRestart = false
  var failure: (kind: KafkaFailure, at: Offset)?
  private var wholes: [AppendFolder.Whole] = []

  init(from: Offset, target: Offset, window: Int64) {
    self.from = from
    self.target = target
    self.window = window
  }

  mutating func take(_ message: Message) {
    if message.isRecord {
      endSeen = nil
      guard message.offset >= from else { return }
      builder.take(message)
      if let whole = folder.take(message.appendHeader, at: message.offset) {
        wholes.append(whole)
      }
    } else if message.isEnd {
      folder.reachEnd(at: message.offset)
      endSeen = message.offset
    } else if let failure = message.failure {
      self.failure = (failure, message.offset)
    }
  }

  mutating func takeWholes() -> [AppendFolder.Whole] {
    defer { wholes = [] }
    return wholes
  }
}
