import EventStorage
import Events
import NIOCore

/// How a stream begins, catches up, and is left.
extension StreamLoop {
  /// Begins a stream: verdict, what the client lacks, `live`, and then every change.
  func join(_ request: StreamRequest, output: any StreamOutput) -> Subscriber? {
    eventLoop.preconditionInEventLoop()
    if isDraining {
      output.begin(request, with: farewell())
      output.end(with: SharedFrames(Array(": draining\n\n".utf8)))
      return nil
    }
    let subscriber = makeSubscriber(request, output: output)
    // Interest first: every frame that is not in the state or the window below comes through the mailbox.
    for index in subscriber.feeds.indices { enter(subscriber, feed: index) }
    subscriber.beat = leastBusyBeat()
    subscriber.beatSlot = beats[subscriber.beat].count
    beats[subscriber.beat].append(subscriber)

    var frames = Array("retry: \(jittered(configuration.retryMilliseconds))\n\n".utf8)
    let waiting = Subscriber.Waiting(lastEventID: request.lastEventID, since: .now)
    if !open(subscriber, with: waiting, &frames) {
      subscriber.phase = .waiting(waiting)
      if self.waiting.isEmpty { lookAgain() }
      self.waiting.append(subscriber)
    }
    output.begin(request, with: SharedFrames(frames))
    pull(subscriber)
    return subscriber
  }

  /// How often is looked whether a reader need wait no longer.
  static let waitingInterval = TimeAmount.milliseconds(20)

  private func lookAgain() {
    eventLoop.scheduleTask(in: StreamLoop.waitingInterval) { [self] in
      let asked = waiting
      waiting = asked.filter { subscriber in
        guard let since = subscriber.waiting, subscriber.output.isOpen else { return false }
        var frames: [UInt8] = []
        if open(subscriber, with: since, &frames) {
          subscriber.output.write(SharedFrames(frames))
          pull(subscriber)
          return false
        }
        if .now - since.since < .seconds(limits.streamStartSecondsMax) { return true }
        // Another instance may know more; a browser comes back by itself.
        subscriber.phase = .ended
        subscriber.output.end(with: farewell(": the log cannot be read now"))
        return false
      }
      if !waiting.isEmpty { lookAgain() }
    }
  }

  /// Judges what a reader lacks, and says so; false when that is not known yet.
  private func open(
    _ subscriber: Subscriber, with waiting: Subscriber.Waiting, _ frames: inout [UInt8]
  ) -> Bool {
    switch judge(waiting, for: subscriber) {
    case .unknown: return false
    case .resumed(let offsets):
      for index in subscriber.cursors.indices { subscriber.cursors[index].offset = offsets[index] }
      subscriber.phase = .behind(announces: true, withIDs: true)
      appendVerdict("resumed", reason: "resumed", of: subscriber, to: &frames)
    case .snapshot(let reason):
      beginState(of: subscriber)
      appendVerdict("snapshot", reason: reason, of: subscriber, to: &frames)
    case .reset(let reason):
      beginState(of: subscriber)
      appendVerdict("reset", reason: reason, of: subscriber, to: &frames)
    }
    return true
  }

  /// Lets go of a stream whose connection is gone or has ended.
  func leave(_ subscriber: Subscriber) {
    eventLoop.preconditionInEventLoop()
    subscriber.phase = .ended
    subscriber.snapshot = nil
    for index in subscriber.feeds.indices { exit(subscriber, feed: index) }
    let beat = subscriber.beat
    guard let last = beats[beat].popLast() else { return }
    if last !== subscriber {
      last.beatSlot = subscriber.beatSlot
      beats[beat][subscriber.beatSlot] = last
    }
  }

  private func makeSubscriber(_ request: StreamRequest, output: any StreamOutput) -> Subscriber {
    var feeds = request.channels.map { channel in
      Subscriber.Feed(
        channel: channel, partition: Slot(channel: channel).partition(of: partitions.count),
        cursor: 0)
    }
    feeds.sort { $0.partition < $1.partition }
    var cursors: [Subscriber.Cursor] = []
    for index in feeds.indices {
      if cursors.last?.partition != feeds[index].partition {
        cursors.append(Subscriber.Cursor(partition: feeds[index].partition, offset: .zero))
      }
      feeds[index].cursor = cursors.count - 1
    }
    return Subscriber(output: output, shape: request.shape, feeds: feeds, cursors: cursors)
  }

  // MARK: - Verdicts

  private enum Verdict {
    case resumed([Offset])
    case snapshot(reason: StaticString)
    case reset(reason: StaticString)
    /// Not known yet.
    case unknown
  }

  /// What can be done for a client that has seen everything up to this token. A stream never answers an error: a
  /// browser's EventSource could not see it, and would give up for good.
  private func judge(_ waiting: Subscriber.Waiting, for subscriber: Subscriber) -> Verdict {
    guard subscriber.cursors.allSatisfy({ partitions[$0.partition].use() }) else {
      return .unknown
    }
    guard let token = waiting.lastEventID else { return .snapshot(reason: "new") }
    let position: Position
    do throws(TokenFailure) {
      position = try Position(token: token)
    } catch {
      switch error {
      case .unknownVersion: return .reset(reason: "unknown-version")
      case .tooLong, .malformed: return .reset(reason: "malformed")
      }
    }
    guard position.log == partitions[0].log else { return .reset(reason: "other-log") }
    var offsets: [Offset] = []
    var isBehind = false
    var isAhead = false
    for cursor in subscriber.cursors {
      let partition = partitions[cursor.partition]
      guard let offset = position[partition.partition] else {
        return .reset(reason: "other-partitions")
      }
      switch partition.coverage(of: offset, since: waiting.since) {
      case .covered: offsets.append(offset)
      case .behind: isBehind = true
      case .ahead: isAhead = true
      case .beyondEnd: return .reset(reason: "beyond-end")
      }
    }
    if isAhead { return .unknown }
    return isBehind ? .snapshot(reason: "behind") : .resumed(offsets)
  }

  private func appendVerdict(
    _ event: StaticString, reason: StaticString, of subscriber: Subscriber,
    to frames: inout [UInt8]
  ) {
    var json: [UInt8] = []
    json.append(literal: "{\"reason\":\"")
    json.append(literal: reason)
    json.append(literal: "\",\"position\":\"")
    json.append(contentsOf: token(of: subscriber).utf8)
    json.append(literal: "\"}")
    StreamFrames.append(event: event, json: json, to: &frames)
  }

  // MARK: - Catching up

  /// From the state on: each partition at the oldest of its channels' encoded states, what follows from the window.
  private func beginState(of subscriber: Subscriber) {
    var places = [Offset?](repeating: nil, count: subscriber.cursors.count)
    subscriber.snapshot = nil
    for feed in subscriber.feeds {
      let snapshot = partitions[feed.partition].snapshot(of: feed.channel, as: subscriber.shape)
      places[feed.cursor] = min(places[feed.cursor] ?? snapshot.position, snapshot.position)
      subscriber.snapshot = subscriber.snapshot ?? snapshot
    }
    for (index, place) in places.enumerated() { subscriber.cursors[index].offset = place ?? .zero }
    subscriber.phase = .state(feed: 0, after: nil)
  }

  /// What a stream that does not read keeps for itself must not last: many of them could hold as many states. It goes on from a newer
  /// one when it reads again.
  func letGoOfSnapshot(_ subscriber: Subscriber) {
    guard case .state(let index, _) = subscriber.phase, let snapshot = subscriber.snapshot else {
      return
    }
    let partition = partitions[subscriber.feeds[index].partition]
    if !subscriber.hasReadOn || !partition.reaches(back: snapshot.position) {
      subscriber.snapshot = nil
    }
    subscriber.hasReadOn = false
  }

  /// Gives a subscriber that is not live what it lacks, until it is live or its socket is full. Called again when
  /// everything that it was given has left.
  func pull(_ subscriber: Subscriber) {
    eventLoop.preconditionInEventLoop()
    while subscriber.output.isOpen, subscriber.output.pendingBytes == 0 {
      switch subscriber.phase {
      case .live, .ended, .waiting: return
      case .state(let feed, let after): pullState(subscriber, feed: feed, after: after)
      case .behind(let announces, let withIDs):
        pullChanges(subscriber, announces: announces, withIDs: withIDs)
      }
    }
  }

  private func pullState(_ subscriber: Subscriber, feed index: Int, after: Offset?) {
    guard index < subscriber.feeds.count else {
      subscriber.phase = .behind(announces: true, withIDs: false)
      return
    }
    let feed = subscriber.feeds[index]
    let snapshot =
      subscriber.snapshot
      ?? partitions[feed.partition].snapshot(of: feed.channel, as: subscriber.shape)
    let page = snapshot.page(
      after: after, before: subscriber.cursors[feed.cursor].offset,
      bytesMax: ChannelPartition.entryBytes)
    if let last = page.last {
      subscriber.phase = .state(feed: index, after: last)
      subscriber.snapshot = snapshot
      subscriber.hasReadOn = true
      subscriber.output.write(SharedFrames(Array(page.frames)))
    } else {
      subscriber.phase = .state(feed: index + 1, after: nil)
      subscriber.snapshot = nil
    }
  }

  private func pullChanges(_ subscriber: Subscriber, announces: Bool, withIDs: Bool) {
    var frames: [UInt8] = []
    var isCaughtUp = true
    let first = subscriber.turn
    for step in subscriber.cursors.indices {
      let index = (first + step) % subscriber.cursors.count
      subscriber.turn = index
      // One buffer for all its partitions; the next one begins where this one ends, so that none has to wait for ever.
      guard frames.count < ChannelPartition.entryBytes else {
        isCaughtUp = false
        break
      }
      let channels = subscriber.feeds.filter { $0.cursor == index }.map(\.channel.text)
      let changes = partitions[subscriber.cursors[index].partition].changes(
        in: channels, from: subscriber.cursors[index].offset, as: subscriber.shape,
        withIDs: withIDs, bytesMax: ChannelPartition.entryBytes - frames.count)
      switch changes {
      case .lost:
        beginState(of: subscriber)
        var verdict: [UInt8] = []
        appendVerdict("snapshot", reason: "lagged", of: subscriber, to: &verdict)
        subscriber.output.write(SharedFrames(verdict))
        return
      case .frames(let more, let next, let isEnd):
        frames += more
        subscriber.cursors[index].offset = next
        isCaughtUp = isCaughtUp && isEnd
      }
    }
    if isCaughtUp {
      subscriber.phase = .live
      if announces {
        let position = token(of: subscriber)
        let json = Array("{\"position\":\"\(position)\"}".utf8)
        StreamFrames.append(event: "live", json: json, id: position, to: &frames)
      } else if !subscriber.shape.hasIDs, !frames.isEmpty {
        StreamFrames.appendIDBlock(token(of: subscriber), to: &frames)
      }
    } else if withIDs, !subscriber.shape.hasIDs, !frames.isEmpty {
      StreamFrames.appendIDBlock(token(of: subscriber), to: &frames)
    }
    if !frames.isEmpty { subscriber.output.write(SharedFrames(frames)) }
  }

  // MARK: - Lists

  private func enter(_ subscriber: Subscriber, feed index: Int) {
    let feed = subscriber.feeds[index]
    let topic = StreamTopic(
      partition: feed.partition, channel: feed.channel.text, shape: subscriber.shape)
    let count = topics[topic, default: []].count
    subscriber.feeds[index].slot = count
    topics[topic, default: []].append(subscriber)
    if count == 0 {
      partitions[feed.partition].addInterest(
        of: self.index, in: topic.channel, as: topic.shape)
    }
  }

  private func exit(_ subscriber: Subscriber, feed index: Int) {
    let feed = subscriber.feeds[index]
    let topic = StreamTopic(
      partition: feed.partition, channel: feed.channel.text, shape: subscriber.shape)
    guard let last = topics[topic]?.popLast() else { return }
    if last !== subscriber {
      topics[topic]?[feed.slot] = last
      if let moved = last.feeds.firstIndex(where: { $0.channel == feed.channel }) {
        last.feeds[moved].slot = feed.slot
      }
    }
    if topics[topic]?.isEmpty == true {
      topics[topic] = nil
      partitions[feed.partition].removeInterest(
        of: self.index, in: topic.channel, as: topic.shape)
    }
  }

  private func leastBusyBeat() -> Int {
    beats.indices.min { beats[$0].count < beats[$1].count } ?? 0
  }

  /// Within a quarter of this, so that clients that lost their streams together do not come back together.
  private func jittered(_ milliseconds: Int) -> Int {
    Int.random(in: (milliseconds - milliseconds / 4)...(milliseconds + milliseconds / 4))
  }
}
