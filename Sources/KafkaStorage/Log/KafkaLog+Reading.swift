package import EventStorage

extension KafkaLog {
  /// How long a tombstone horizon is good for before it is asked for again.
  static let horizonLife = Duration.seconds(60)
  /// After it was asked for in vain, nobody waits for it again for so long.
  static let horizonPause = Duration.seconds(5)

  package func bounds(of partition: Partition) throws(LogError) -> LogBounds {
    let tail = try tails.ready(partition)
    try renewHorizon(of: tail)
    return tail.state.withLock { state in
      let end = max(state.end, state.start)
      let horizon = state.horizon?.offset ?? end
      return LogBounds(
        start: state.start, end: end, tombstoneHorizon: min(max(horizon, state.start), end),
        cleanPoint: min(max(state.clean?.offset ?? end, state.start), end),
        cleanTime: state.clean?.time ?? .min)
    }
  }

  package func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    let tail = try tails.ready(partition)
    let (held, end, start) = tail.state.withLock {
      ($0.select(from: offset, bytesMax: bytesMax), $0.end, $0.start)
    }
    if offset < start { throw .trimmed(partition, start: start) }
    if offset > end { return try confirm(offset, behind: tail) }
    if let (chunks, next) = held {
      for chunk in chunks { chunk.lend(from: offset, to: &sink) }
      return next
    }
    return try pool.with(at: partition, offset) { reader throws(LogError) in
      let next = try reader.read(
        partition, from: offset, bytesMax: bytesMax, until: end, into: &sink)
      // From here on the tail has everything.
      if tail.state.withLock({ $0.cachedFrom <= next }) { reader.stop() }
      return next
    }
  }

  /// A position behind what has been read here: another instance may have read more.
  private func confirm(_ offset: Offset, behind tail: Tail) throws(LogError) -> Offset {
    let committed: Offset
    do throws(KafkaFailure) {
      committed = try tails.ends(of: [tail.partition], within: options.requestTimeout)[0]
    } catch {
      throw .unavailable(detail: error.detail)
    }
    guard tail.state.wait(for: options.requestTimeout, until: { $0.readTo >= committed }) else {
      throw .unavailable(detail: "\(tail.partition) could not be read to its end")
    }
    let end = tail.state.withLock { $0.end }
    if offset > end { throw .beyondEnd(tail.partition, end: end) }
    return offset
  }

  package func tailStart(of partition: Partition, bytesMax: Int) throws(LogError) -> Offset {
    try tails.ready(partition).state.withLock { $0.tailStart(bytesMax: bytesMax) }
  }

  package func waitForRecords(
    in partition: Partition, after offset: Offset, for duration: Duration
  ) -> Bool {
    guard let tail = try? tails.follow(partition) else { return false }
    tail.state.withLock { $0.waitersCount += 1 }
    defer {
      tail.state.withLock {
        $0.waitersCount -= 1
        $0.use()
      }
    }
    return tail.state.wait(for: duration) { $0.phase == .closed || $0.hasRecords(after: offset) }
      && tail.state.withLock { $0.hasRecords(after: offset) }
  }

  package func age(of partition: Partition) -> Duration? {
    tails.tails[partition]?.state.withLock { $0.knownAt }.map { .now - $0 }
  }

  /// Asks now and then where the partition starts, and before which offsets tombstones and records that were replaced may be gone.
  ///
  /// The broker keeps a tombstone for `delete.retention.ms` after it first compacts it, which is not before `min.compaction.lag.ms`
  /// have passed. So whatever was appended less than `delete.retention.ms` ago is there; the lag makes good for clocks that differ.
  /// Offsets are found by the times of records, which do not go back. Old times make the horizon higher, which is safe.
  ///
  /// The broker compacts nothing before `min.compaction.lag.ms` have passed; how far it has come it tells nobody. So everything older than
  /// half of that counts as compacted, and the other half makes good for clocks that differ.
  private func renewHorizon(of tail: Tail) throws(LogError) {
    let (known, unknown) = tail.state.withLock { ($0.horizon, $0.horizonUnknown) }
    if let known, .now - known.asked < KafkaLog.horizonLife { return }
    if let known, let unknown, .now - unknown.since < KafkaLog.horizonPause {
      return try goOn(with: known.asked, unknown.detail)
    }
    // Whoever knows a horizon waits a moment for the next one, and not as long as somebody who has none.
    let patience = known == nil ? options.requestTimeout : min(options.requestTimeout, .seconds(1))
    do throws(KafkaFailure) {
      let (start, committed) = try tails.watermarks(of: tail.partition, within: patience)
      var horizon = Offset.zero
      var clean = (offset: Offset.zero, time: Int64.min)
      if tail.partition.topic.isCompacted {
        let retention = options.tombstoneRetention - KafkaLog.horizonLife
        let time = max(0, options.now() - Int64(retention.milliseconds))
        horizon =
          try tails.offset(in: tail.partition, notBefore: time, within: patience)
          // Everything that was there is older, whether or not it has been read here.
          ?? committed
        clean.time = options.now() - Int64(options.compactionLag.milliseconds) / 2
        clean.offset =
          try tails.offset(in: tail.partition, notBefore: max(0, clean.time), within: patience)
          ?? committed
      }
      tail.state.withLock { state in
        state.start = max(state.start, start)
        state.clean = (max(clean.offset, state.clean?.offset ?? .zero), clean.time)
        state.horizon = (max(horizon, state.horizon?.offset ?? .zero), .now)
        state.horizonUnknown = nil
      }
    } catch {
      tail.state.withLock { $0.horizonUnknown = (.now, error.detail) }
      try goOn(with: known?.asked, error.detail)
    }
  }

  /// While the broker is away, readers go on with what is known, for as long as the lag makes good for it.
  private func goOn(
    with asked: ContinuousClock.Instant?, _ detail: String
  ) throws(LogError) {
    if let asked, .now - asked < options.compactionLag { return }
    throw .unavailable(detail: detail)
  }
}

extension Tail.State {
  func hasRecords(after offset: Offset) -> Bool { phase == .ready && end > offset }
}
