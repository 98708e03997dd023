extension EventLog {
  /// Lends the records of a partition as `read` does, read on a thread of its own while the sink takes those before: for a sink with work
  /// to do, and a core to spare. Both threads wait for each other when they must.
  ///
  /// What ends it early waits for the read that is under way. The thread may let go of the log a moment after this returns: close a log,
  /// do not rely on its last owner.
  ///
  /// - Parameters:
  ///   - end: nothing is read beyond, but the rest of its batch; no later than the partition's end.
  ///   - goesOn: asked behind every piece with its extent: whether to go on. All of it was read when this is called.
  /// - Returns: the position after what was lent.
  /// - Throws: what `read` throws, after lending what comes before, and what `goesOn` throws.
  @discardableResult
  package func readAhead<Sink: RecordSink & ~Copyable, Failure: Error>(
    _ partition: Partition, from offset: Offset, to end: Offset, into sink: inout Sink,
    while goesOn: (inout Sink, Range<Offset>) throws(Failure) -> Bool
  ) throws -> Offset {
    guard offset < end else { return offset }
    let pieces = Monitor(ReadPieces())
    startThread(for: "reading \(partition)") {
      var filler = PieceFiller(pieces, to: end)
      filler.fill(from: self, partition, from: offset)
    }
    defer { pieces.stopAndWait() }
    var position = offset
    while var piece = pieces.nextReady() {
      let start = position
      piece.lend(to: &sink)
      position = max(start, piece.end)
      if let failure = piece.failure { throw failure }
      guard try goesOn(&sink, start..<position), position < end else { break }
      piece.clear()
      pieces.giveBack(piece)
    }
    return position
  }
}

/// The sink of the thread that reads.
private struct PieceFiller: RecordSink {
  /// As stored: what one `read` is asked for.
  private static let readBytesMax = 1 << 20

  private let pieces: Monitor<ReadPieces>
  private let end: Offset
  /// Nil when nobody takes what is read, or nothing more is wanted.
  private var piece: ReadPiece?

  init(_ pieces: Monitor<ReadPieces>, to end: Offset) {
    self.pieces = pieces
    self.end = end
    piece = pieces.takeSpare()
  }

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    piece?.add(bytes, rows, next: next)
    if next >= end {
      handOver(isLast: true)
    } else if piece?.isFull == true {
      handOver()
    }
  }

  mutating func fill(from log: some EventLog, _ partition: Partition, from offset: Offset) {
    var position = offset
    while piece != nil, position < end, !pieces.withLock({ $0.isStopped }) {
      do throws(LogError) {
        position = try log.read(
          partition, from: position, bytesMax: PieceFiller.readBytesMax, into: &self)
        // Over a hole there is nothing to take, but the position.
        piece?.end = position
        if piece?.isEmpty == false || position >= end { handOver(isLast: position >= end) }
      } catch {
        piece?.failure = error
        handOver(isLast: true)
      }
    }
    pieces.change { $0.isOver = true }
  }

  private mutating func handOver(isLast: Bool = false) {
    guard let full = piece.take() else { return }
    pieces.hand(over: full)
    if !isLast { piece = pieces.takeSpare() }
  }
}
