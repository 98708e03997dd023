import EventStorage
import Events
import Projections
import Synchronization

/// One partition of client messages as the gateway serves it: its channels now, their recent past, and who listens.
///
/// One follower feeds it; event loops and requests read it. Everything changes under one lock, so that a reader
/// who registers and takes the state gets every later frame and none that the state holds already.
///
/// Where partitions are held on demand, it is idle, and holds nothing, until somebody needs it, and again when nobody does.
final class ChannelPartition: Sendable {
  let partition: Partition
  let log: LogIdentity
  let limits: GatewayLimits
  let state: Mutex<State>
  /// Everything before this offset has been handed to the loops.
  let posted: Atomic<Int64>
  /// Wakes the follower of an idle partition.
  let demand: Monitor<Demand>
  let loops: [StreamLoop]

  struct Demand: Sendable {
    var isWanted: Bool
    var isStopped = false
  }

  struct State: Sendable {
    var phase: Phase
    var channels: Channels
    /// Everything before it is folded.
    var position: Offset
    var window: RecentWindow
    var interests: [String: Interest] = [:]
    var snapshots = SnapshotShelf()
    var waiters: [UInt64: Waiter] = [:]
    var nextWaiter: UInt64 = 0
    /// The log's extent when it was last looked at.
    var bounds: LogBounds
    /// Whether the fold has missed nothing.
    var watch: TombstoneWatch
    /// Where the log ended when the follower started: ready means to have come this far.
    var readyAt: Offset
    /// Everything that the log held at this moment is folded. Nil when whoever feeds the partition knows that at any time.
    var knownAt: ContinuousClock.Instant?
    /// When somebody last asked for it.
    var usedAt = ContinuousClock.now
    /// Why nothing is followed any more.
    var failure: LogError?
  }

  enum Phase: Sendable {
    /// Nothing is held.
    case idle
    /// Fed, and on its way to where the log ended when somebody came to need it.
    case starting
    /// Fed, and serving.
    case serving
  }

  /// Which loops want the frames of a channel, a bit each, by shape.
  struct Interest: Sendable {
    var loops: [UInt64] = [0, 0, 0]
    var isEmpty: Bool { loops[0] | loops[1] | loops[2] == 0 }
  }

  /// A request that waits until a position is reflected.
  struct Waiter: Sendable {
    var offset: Offset
    var resume: @Sendable () -> Void
  }

  /// - Parameters:
  ///   - window: what is known of the records before `position`.
  ///   - bounds: looked at before `channels` was judged to be right.
  init(
    _ partition: Partition, log: LogIdentity, channels: Channels, position: Offset,
    window: RecentWindow, bounds: LogBounds, knownAt: ContinuousClock.Instant? = nil,
    loops: [StreamLoop], limits: GatewayLimits
  ) {
    self.partition = partition
    self.log = log
    self.loops = loops
    self.limits = limits
    posted = Atomic(position.rawValue)
    demand = Monitor(Demand(isWanted: true))
    var channels = channels
    channels.collectsExpired = true
    state = Mutex(
      State(
        phase: .serving, channels: channels, position: position, window: window, bounds: bounds,
        watch: TombstoneWatch(since: bounds), readyAt: bounds.end, knownAt: knownAt))
  }

  /// One that is idle until somebody needs it.
  init(
    idle partition: Partition, log: LogIdentity, loops: [StreamLoop], limits: GatewayLimits
  ) {
    self.partition = partition
    self.log = log
    self.loops = loops
    self.limits = limits
    posted = Atomic(0)
    demand = Monitor(Demand(isWanted: false))
    let nothing = LogBounds(start: .zero, end: .zero, tombstoneHorizon: .zero)
    state = Mutex(
      State(
        phase: .idle, channels: Channels(), position: .zero,
        window: RecentWindow(start: .zero, bytesMax: limits.recentBytesMax), bounds: nothing,
        watch: TombstoneWatch(since: nothing), readyAt: .zero, knownAt: .now))
  }

  /// The token of a position in this partition alone.
  func token(_ offset: Offset) -> String {
    Position(log: log, offsets: [partition: offset]).token
  }

  /// Folds one batch, and hands its frames to the loops that want them. Called by the follower alone.
  func apply(_ batch: ReadBatch) {
    let (bytes, rows, next) = (batch.bytes, batch.rows, batch.next)
    var resumed: [Waiter] = []
    let outgoing = state.withLock { state -> [[LoopEntry]] in
      state.channels.apply(bytes.span.bytes, rows.span, next: next)
      let expired = state.channels.takeExpired()
      let shown = expired.filter { !state.isHeldAgain($0, after: rows, of: bytes) }
      let recent = RecentBatch(
        bytes: bytes, rows: rows, from: state.position, next: next, expired: shown,
        hidesExpiry: state.channels.mayHideExpiry || shown.count < expired.count)
      state.window.append(recent)
      state.position = next
      if next > state.bounds.end { state.bounds.end = next }
      state.lookWhetherServing()
      resumed = state.takeWaiters()
      guard case .serving = state.phase, !state.interests.isEmpty else { return [] }
      return encode(recent, for: state.interests, loops: loops.count)
    }
    for (index, entries) in outgoing.enumerated() where !entries.isEmpty {
      loops[index].post(entries)
    }
    posted.store(next.rawValue, ordering: .releasing)
    for waiter in resumed { waiter.resume() }
  }

  /// The messages of a channel, and the position they reflect.
  func messages(in channel: ChannelName) -> (messages: [ChannelMessage], position: Offset) {
    state.withLock { ($0.channels.messages(in: channel), $0.position) }
  }

  /// What the follower saw of the log.
  func observe(_ bounds: LogBounds) {
    state.withLock { $0.bounds = bounds }
  }

  /// Everything that the log held at this moment is folded.
  func know(at moment: ContinuousClock.Instant) {
    state.withLock { $0.knownAt = moment }
  }

  /// The log gave up reading or appending; readiness says so from now on.
  /// - Returns: false when something had failed before, which stays the reason.
  @discardableResult
  func fail(_ error: LogError) -> Bool {
    state.withLock { state in
      guard state.failure == nil else { return false }
      state.failure = error
      return true
    }
  }

  /// The fold as it is now: its state and its position, which belong together. Nil while nothing is held.
  var fold: Fold<Channels>? {
    state.withLock { state in
      if case .idle = state.phase { return nil }
      return Fold(partition, state: state.channels, position: state.position)
    }
  }

  /// When the next key runs out of time, in milliseconds since 1970.
  var nextExpiry: Int64? { state.withLock { $0.channels.nextExpiry } }

  /// What a heartbeat and `/readyz` say.
  var status: Status {
    state.withLock {
      Status(
        phase: $0.phase, position: $0.position, end: max($0.bounds.end, $0.position),
        logTime: $0.channels.logTime,
        isReady: $0.failure == nil && $0.position >= $0.readyAt, failure: $0.failure,
        age: $0.knownAt.map { .now - $0 } ?? .zero)
    }
  }

  /// How far a partition is.
  struct Status {
    var phase: Phase
    var position: Offset
    var end: Offset
    var logTime: Int64
    var isReady: Bool
    var failure: LogError?
    /// What the log held so long ago is folded.
    var age: Duration

    /// Seconds since the log was last heard of, when that is long enough to be told.
    var staleSeconds: Int64? {
      age < ChannelPartition.staleAfter ? nil : age.components.seconds
    }
  }
}

extension ChannelPartition.State {
  /// Those who have waited for a position that is reached now.
  mutating func takeWaiters() -> [ChannelPartition.Waiter] {
    var reached: [ChannelPartition.Waiter] = []
    for (id, waiter) in waiters where waiter.offset <= position {
      reached.append(waiter)
      waiters[id] = nil
    }
    return reached
  }

  /// True when a key that expired was published again within the same batch: its new value already took its place.
  func isHeldAgain(_ key: ExpiredKey, after rows: [RecordRow], of bytes: [UInt8]) -> Bool {
    let keyBytes = EventKey.message(key.channel, key.key).bytes
    guard rows.contains(where: { bytes[$0.key].elementsEqual(keyBytes) }) else { return false }
    return channels.messages(in: key.channel).contains { $0.key == key.key.text }
  }
}
