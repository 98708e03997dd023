internal import EventStorage

/// Reads ranges of partitions on a client of its own. Whoever reads on from where the last read ended finds the next records already
/// on their way.
///
/// `@unchecked Sendable`: one thread at a time has it, as `ReaderPool` sees to.
final class RangeReader: @unchecked Sendable {
  /// Records are lent in pieces of this size: large enough to cost nothing each, small enough for the cache.
  static let lentBytes = 256 << 10

  /// Where the next message comes from; nil when nothing is being read.
  private(set) var position: (partition: Partition, next: Offset)?
  private(set) var lastUsed = ContinuousClock.now
  private let client: Client
  private let options: KafkaLog.Options
  private var room = MessageRoom()
  private var builder = ChunkBuilder()

  init(_ options: KafkaLog.Options, _ properties: KafkaProperties) throws(KafkaFailure) {
    self.options = options
    client = try Client(.consumer, properties.reader)
  }

  func isAt(_ partition: Partition, _ offset: Offset) -> Bool {
    position?.partition == partition && position?.next == offset
  }

  /// Lets go of what was read ahead.
  func stop() {
    guard let (partition, _) = position else { return }
    client.stopReading(options.topic(partition.topic), partition: partition.index)
    room.empty()
    position = nil
  }

  /// Lends whole appends from `offset` on, until there are so many bytes of them or the position is `end`.
  ///
  /// An append that did not fit into one request, and that records of another client came between, may be lent in two pieces.
  /// - Parameter end: a position that the partition is known to reach.
  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, until end: Offset,
    into sink: inout Sink
  ) throws(LogError) -> Offset {
    try move(to: partition, offset)
    lastUsed = .now
    var next = offset
    var size = 0
    var unfinished: (id: AppendHeader.ID, limit: Int64)?
    var failure: KafkaFailure?
    var isDone = false
    while !isDone {
      let came = room.turn(of: client, for: options.requestTimeout) { message in
        guard message.isRecord else {
          if message.isEnd {
            next = max(next, min(end, message.offset))
          } else {
            failure = message.failure
          }
          isDone = true
          return .enough
        }
        if message.offset < next { return .next }
        let before = builder.size
        builder.take(message)
        next = Offset(message.offset.rawValue + 1)
        size += builder.size - before
        isDone = next >= end
        if isDone { return .enough }
        guard size >= bytesMax || builder.size >= RangeReader.lentBytes else { return .next }
        // Here something is cut, and an append must not be.
        let header = message.appendHeader
        if let awaited = unfinished {
          let isLast = header?.id == awaited.id && header?.following == 0
          guard isLast || message.offset.rawValue >= awaited.limit else { return .next }
        } else if let header, header.following > 0 {
          unfinished = (
            header.id,
            message.offset.rawValue + Int64(header.following) + AppendFolder.strayOffsetsMax
          )
          return .next
        }
        unfinished = nil
        isDone = size >= bytesMax
        return .enough
      }
      builder.lend(to: &sink)
      position = (partition, next)
      if let failure { throw explain(failure, partition, next) }
      if !came {
        stop()
        throw .unavailable(
          detail: "nothing of \(partition) came from offset \(next) on within "
            + "\(options.requestTimeout): \(client.takeErrors()?.text ?? "no answer")")
      }
    }
    return next
  }

  private func move(to partition: Partition, _ offset: Offset) throws(LogError) {
    if isAt(partition, offset) { return }
    stop()
    do throws(KafkaFailure) {
      try client.startReading(
        options.topic(partition.topic), partition: partition.index, from: offset)
    } catch {
      throw .unavailable(detail: error.detail)
    }
    position = (partition, offset)
  }

  /// What a failure at this place means, as the broker's bounds tell.
  private func explain(
    _ failure: KafkaFailure, _ partition: Partition, _ offset: Offset
  ) -> LogError {
    stop()
    if failure.isDamage { return .corrupt(partition, at: offset, detail: failure.detail) }
    if failure.isOutOfRange,
      let (start, end) = try? client.watermarks(
        of: options.topic(partition.topic), partition.index, within: options.requestTimeout)
    {
      if offset < start { return .trimmed(partition, start: start) }
      if offset > end { return .beyondEnd(partition, end: end) }
    }
    return .unavailable(detail: failure.detail)
  }

  /// The idempotency keys of the appends that begin in a range, with their places. Reads on until the last of them is whole.
  func keys(
    of partition: Partition, from offset: Offset, until end: Offset
  ) throws(LogError) -> [(key: String, place: Appended)] {
    stop()
    try move(to: partition, offset)
    defer { stop() }
    var range = KeyRange(until: end)
    var failure: KafkaFailure?
    var isDone = offset >= end
    while !isDone {
      let came = room.turn(of: client, for: options.requestTimeout) { message in
        guard message.isRecord else {
          if !message.isEnd { failure = message.failure }
          isDone = true
          return .enough
        }
        isDone = !range.take(message.appendHeader, at: message.offset)
        return isDone ? .enough : .next
      }
      if let failure { throw explain(failure, partition, offset) }
      guard came else {
        throw .unavailable(detail: "the idempotency keys of \(partition) could not be read")
      }
    }
    return range.keys
  }
}
