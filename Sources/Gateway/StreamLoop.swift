import EventStorage
import Events
import NIOCore
import Synchronization

/// The streams of one event loop: a locked mailbox for the followers, and the subscribers, which only the loop touches.
///
/// A follower posts frames and wakes the loop only when the mailbox was empty; the loop then takes everything that
/// has come in, joins it into one buffer per channel and shape, and writes that once to each of its subscribers.
///
/// Unchecked Sendable: `mailbox` is locked, `partitions` is set before the first connection is accepted, and all
/// else is used on `eventLoop` alone, which `preconditionInEventLoop` checks where calls come in.
final class StreamLoop: @unchecked Sendable {
  let index: Int
  let eventLoop: any EventLoop
  let configuration: GatewayConfiguration
  var partitions: [ChannelPartition] = []
  private let mailbox = Mutex(Mailbox())
  var topics: [StreamTopic: [Subscriber]] = [:]
  var beats: [[Subscriber]]
  var nextBeat = 0
  /// Readers of whom it is not known yet what they lack.
  var waiting: [Subscriber] = []
  var isDraining = false
  private var beating: RepeatedTask?

  /// What followers have posted since the loop last looked.
  struct Mailbox {
    var entries: [LoopEntry] = []
    var byteCount = 0
    /// More came than may wait: what was here is gone, and live subscribers read from the recent window.
    var isOverflown = false
    /// Partitions that were folded anew: what was posted of them does not lead to what they are now.
    var renewed: Set<Int> = []
    var isPosted = false
  }

  /// Heartbeats are spread over this many ticks of an interval.
  static let beatsPerInterval = 16

  init(index: Int, eventLoop: any EventLoop, configuration: GatewayConfiguration) {
    self.index = index
    self.eventLoop = eventLoop
    self.configuration = configuration
    beats = Array(repeating: [], count: StreamLoop.beatsPerInterval)
  }

  var limits: GatewayLimits { configuration.limits }

  /// How many streams it has.
  var streamCount: Int { beats.reduce(0) { $0 + $1.count } }

  func start() {
    eventLoop.execute { [self] in
      let tick = TimeAmount.nanoseconds(
        Int64(configuration.heartbeatSeconds * 1e9) / Int64(StreamLoop.beatsPerInterval))
      beating = eventLoop.scheduleRepeatedTask(initialDelay: tick, delay: tick) { [self] _ in
        beat()
      }
    }
  }

  /// Takes frames from a follower. The loop is woken when the mailbox was empty.
  func post(_ entries: [LoopEntry]) {
    let wake = mailbox.withLock { mailbox in
      for entry in entries { mailbox.byteCount += entry.frames.count }
      if mailbox.byteCount > limits.loopBacklogBytesMax {
        mailbox.entries = []
        mailbox.byteCount = 0
        mailbox.isOverflown = true
      } else if !mailbox.isOverflown {
        mailbox.entries += entries
      }
      defer { mailbox.isPosted = true }
      return !mailbox.isPosted
    }
    if wake { eventLoop.execute { [self] in drain() } }
  }

  /// Takes note that a partition was folded anew.
  func postRenewal(of partition: Int) {
    let wake = mailbox.withLock { mailbox in
      mailbox.renewed.insert(partition)
      defer { mailbox.isPosted = true }
      return !mailbox.isPosted
    }
    if wake { eventLoop.execute { [self] in drain() } }
  }

  // MARK: - Delivering

  private func drain() {
    let taken = mailbox.withLock { mailbox in
      defer { mailbox = Mailbox() }
      return mailbox
    }
    if taken.isOverflown {
      for subscriber in beats.flatMap({ $0 }) where subscriber.isLive { fallBehind(subscriber) }
      return
    }
    if !taken.renewed.isEmpty {
      // Their cursors lie before the window now, so they are given the state.
      for subscriber in beats.flatMap({ $0 })
      where subscriber.isLive && subscriber.reads(anyOf: taken.renewed) { fallBehind(subscriber) }
    }
    var staged: [Subscriber] = []
    for (topic, entries) in StreamLoop.byTopic(taken.entries) {
      guard let subscribers = topics[topic] else { continue }
      if topic.shape.hasIDs {
        let parts = join(entries)
        for subscriber in subscribers where subscriber.isLive { deliver(parts, to: subscriber) }
      } else {
        for subscriber in subscribers where subscriber.isLive {
          let wasEmpty = subscriber.staging.isEmpty
          stage(entries, for: subscriber)
          if wasEmpty, !subscriber.staging.isEmpty { staged.append(subscriber) }
        }
      }
    }
    guard !staged.isEmpty else { return }
    var reached: [Int: Offset] = [:]
    for entry in taken.entries {
      reached[entry.topic.partition] = max(
        reached[entry.topic.partition] ?? .zero, entry.next)
    }
    for subscriber in staged { flush(subscriber, reached: reached) }
  }

  /// Topics come in the order of their first entries, so that the same log gives a reader of several channels the same bytes.
  private static func byTopic(
    _ entries: [LoopEntry]
  ) -> [(topic: StreamTopic, entries: [LoopEntry])] {
    var places: [StreamTopic: Int] = [:]
    var groups: [(topic: StreamTopic, entries: [LoopEntry])] = []
    for entry in entries {
      if let place = places[entry.topic] {
        groups[place].entries.append(entry)
      } else {
        places[entry.topic] = groups.count
        groups.append((entry.topic, [entry]))
      }
    }
    return groups
  }

  /// Entries of one topic that are written together.
  struct Part {
    var entries: ArraySlice<LoopEntry>
    var frames: SharedFrames
    var from: Offset
    var next: Offset
  }

  /// Joins entries into as few buffers as a slow reader's bound allows: usually one.
  private func join(_ entries: [LoopEntry]) -> [Part] {
    var parts: [Part] = []
    var start = 0
    while start < entries.count {
      var end = start
      var bytes = 0
      repeat {
        bytes += entries[end].frames.count
        end += 1
      } while end < entries.count
        && bytes + entries[end].frames.count <= limits.slowReaderBytesMax / 2
      let slice = entries[start..<end]
      if bytes > 0 {
        parts.append(
          Part(
            entries: slice,
            frames: SharedFrames(slice.lazy.map(\.frames), byteCount: bytes),
            from: entries[start].from, next: entries[end - 1].next))
      }
      start = end
    }
    return parts
  }

  private func deliver(_ parts: [Part], to subscriber: Subscriber) {
    for part in parts where subscriber.isLive {
      let cursor = subscriber.cursors[0].offset
      if part.next <= cursor { continue }
      guard cursor <= part.from else {
        // It joined in the middle of what was posted: give it exactly the rest.
        deliverRest(of: part, to: subscriber)
        continue
      }
      guard hasRoom(subscriber, for: part.frames.byteCount) else {
        fallBehind(subscriber)
        return
      }
      subscriber.cursors[0].offset = part.next
      subscriber.output.write(part.frames)
    }
  }

  private func deliverRest(of part: Part, to subscriber: Subscriber) {
    for entry in part.entries where entry.next > subscriber.cursors[0].offset {
      guard subscriber.cursors[0].offset <= entry.from,
        hasRoom(subscriber, for: entry.frames.count)
      else {
        fallBehind(subscriber)
        return
      }
      subscriber.cursors[0].offset = entry.next
      if !entry.frames.isEmpty { subscriber.output.write(SharedFrames(entry.frames)) }
    }
  }

  private func stage(_ entries: [LoopEntry], for subscriber: Subscriber) {
    guard
      let cursor = subscriber.cursors.first(where: {
        $0.partition == entries[0].topic.partition
      })?.offset
    else { return }
    for entry in entries where entry.next > cursor {
      // What is staged is its own copy: it may not grow to all that has come in.
      let count = subscriber.staging.count + entry.frames.count
      guard cursor <= entry.from, hasRoom(subscriber, for: count),
        subscriber.staging.isEmpty || count <= limits.slowReaderBytesMax
      else {
        subscriber.staging = []
        fallBehind(subscriber)
        return
      }
      subscriber.staging += entry.frames
    }
  }

  /// Ends a pass for a reader of several channels: its frames, then the id that stands for all of them.
  private func flush(_ subscriber: Subscriber, reached: [Int: Offset]) {
    guard subscriber.isLive, !subscriber.staging.isEmpty else { return }
    for index in subscriber.cursors.indices {
      guard let offset = reached[subscriber.cursors[index].partition] else { continue }
      subscriber.cursors[index].offset = max(subscriber.cursors[index].offset, offset)
    }
    var frames = subscriber.staging
    subscriber.staging = []
    StreamFrames.appendIDBlock(token(of: subscriber), to: &frames)
    subscriber.output.write(SharedFrames(frames))
  }

  /// A message that is larger than the bound is given to a reader for whom nothing waits; all who wait for it share its bytes.
  func hasRoom(_ subscriber: Subscriber, for byteCount: Int) -> Bool {
    let pending = subscriber.output.pendingBytes
    return pending == 0 || pending + byteCount <= limits.slowReaderBytesMax
  }

  /// From now on it reads from the recent window, as fast as it can.
  private func fallBehind(_ subscriber: Subscriber) {
    subscriber.phase = .behind(announces: false, withIDs: true)
    pull(subscriber)
  }

  func token(of subscriber: Subscriber) -> String {
    subscriber.token(in: partitions[0].log)
  }

  // MARK: - Heartbeats and the end

  private func beat() {
    nextBeat = (nextBeat + 1) % StreamLoop.beatsPerInterval
    guard !beats[nextBeat].isEmpty else { return }
    for subscriber in beats[nextBeat] { letGoOfSnapshot(subscriber) }
    // Whatever was posted before these offsets is delivered first, so that the ids below are true.
    let reached = partitions.map { Offset($0.posted.load(ordering: .acquiring)) }
    drain()
    let time = WallClock.milliseconds()
    var shared: [Int: SharedFrames] = [:]
    for subscriber in beats[nextBeat] where subscriber.isLive && subscriber.output.pendingBytes == 0
    {
      for index in subscriber.cursors.indices {
        let partition = subscriber.cursors[index].partition
        subscriber.cursors[index].offset = max(
          subscriber.cursors[index].offset, reached[partition])
      }
      if subscriber.cursors.count == 1,
        subscriber.cursors[0].offset == reached[subscriber.cursors[0].partition]
      {
        let partition = subscriber.cursors[0].partition
        let frames = shared[partition] ?? heartbeat(for: subscriber, at: time)
        shared[partition] = frames
        subscriber.output.write(frames)
      } else {
        subscriber.output.write(heartbeat(for: subscriber, at: time))
      }
    }
  }

  private func heartbeat(for subscriber: Subscriber, at time: Int64) -> SharedFrames {
    let id = token(of: subscriber)
    var behind: Int64 = 0
    var staleSeconds: Int64?
    var logTime: Int64 = 0
    for cursor in subscriber.cursors {
      let status = partitions[cursor.partition].status
      behind += max(0, status.end.rawValue - cursor.offset.rawValue)
      logTime = max(logTime, status.logTime)
      if let seconds = status.staleSeconds { staleSeconds = max(staleSeconds ?? 0, seconds) }
    }
    var json: [UInt8] = []
    json.append(literal: "{\"position\":")
    JSONWriter.append(id, to: &json)
    json.append(literal: ",\"behind\":")
    json.append(decimal: behind)
    if let staleSeconds {
      json.append(literal: ",\"staleSeconds\":")
      json.append(decimal: staleSeconds)
    }
    json.append(literal: ",\"logTime\":\"")
    WallClock.append(logTime, to: &json)
    json.append(literal: "\",\"time\":\"")
    WallClock.append(time, to: &json)
    json.append(literal: "\"}")
    var frames: [UInt8] = []
    StreamFrames.append(event: "heartbeat", json: json, id: id, to: &frames)
    return SharedFrames(frames)
  }

  /// Ends every stream with a `retry:` of its own, so that the clients come back spread over some time.
  func drainStreams() {
    eventLoop.execute { [self] in
      isDraining = true
      beating?.cancel()
      for subscriber in beats.flatMap({ $0 }) {
        subscriber.phase = .ended
        subscriber.output.end(with: farewell())
      }
    }
  }

  /// Lets go of the partitions and of its streams, which refer to it as it does to them. Nothing is called afterwards.
  func letGo() {
    // Draining has seen to it, and the loop may take no more by now.
    if !isDraining { beating?.cancel() }
    beating = nil
    partitions = []
    waiting = []
    topics = [:]
    beats = []
  }

  /// The last words of a stream that a client should take up again elsewhere.
  func farewell(_ reason: String = ": draining") -> SharedFrames {
    let milliseconds = Int.random(in: 100...max(100, configuration.drainSpreadMilliseconds))
    return SharedFrames(Array("retry: \(milliseconds)\n\(reason)\n\n".utf8))
  }
}
