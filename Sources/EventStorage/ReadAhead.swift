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

/// Pieces of a log between the thread that reads them and the one that takes them.
private struct ReadPieces: Sendable {
  /// How many there are, and how many bytes may be ready before no more is read: little enough to stay within the processor's caches. A
  /// larger batch is read when nothing else is ready.
  static let countMax = 8
  static let readyBytesMax = countMax * ReadPiece.bytesMax

  /// Read, the oldest first.
  var ready: [ReadPiece] = []
  var readyBytes = 0
  /// Taken; their memory is used again.
  var spare: [ReadPiece] = Array(repeating: ReadPiece(), count: countMax)
  /// The reader sleeps until there is much to do: to be woken for every piece costs more than reading it.
  var isReaderAsleep = false
  /// Nobody takes any more.
  var isStopped = false
  /// Nothing is read any more.
  var isOver = false

  var mayRead: Bool { !spare.isEmpty && (readyBytes < ReadPieces.readyBytesMax || ready.isEmpty) }
  var isWorthWaking: Bool {
    ready.count <= ReadPieces.countMax / 2 && readyBytes <= ReadPieces.readyBytesMax / 2
  }
}

extension Monitor<ReadPieces> {
  /// The next piece, or nil when there is none any more.
  fileprivate func nextReady() -> ReadPiece? {
    while true {
      let (piece, isOver) = withLock { pieces -> (ReadPiece?, Bool) in
        guard !pieces.ready.isEmpty else { return (nil, pieces.isOver) }
        let piece = pieces.ready.removeFirst()
        pieces.readyBytes -= piece.byteCount
        return (piece, false)
      }
      if piece != nil || isOver { return piece }
      _ = wait(for: .seconds(60)) { !$0.ready.isEmpty || $0.isOver }
    }
  }

  fileprivate func giveBack(_ piece: ReadPiece) {
    let wakes = withLock { pieces in
      pieces.spare.append(piece)
      return pieces.isReaderAsleep && pieces.isWorthWaking
    }
    if wakes { change { $0.isReaderAsleep = false } }
  }

  /// A piece to fill, or nil when nobody takes it.
  fileprivate func takeSpare() -> ReadPiece? {
    while true {
      let (piece, isStopped) = withLock { pieces -> (ReadPiece?, Bool) in
        let piece = pieces.mayRead ? pieces.spare.popLast() : nil
        pieces.isReaderAsleep = piece == nil
        return (piece, pieces.isStopped)
      }
      if isStopped { return nil }
      if let piece { return piece }
      _ = wait(for: .seconds(60)) { $0.isWorthWaking && !$0.spare.isEmpty || $0.isStopped }
    }
  }

  fileprivate func hand(over piece: ReadPiece) {
    change {
      $0.readyBytes += piece.byteCount
      $0.ready.append(piece)
    }
  }

  fileprivate func stopAndWait() {
    change { $0.isStopped = true }
    while !wait(for: .seconds(60), until: { $0.isOver }) {}
  }
}

/// Batches one behind the other.
private struct ReadPiece: Sendable {
  /// A larger one is handed over. A batch is never divided.
  static let bytesMax = 256 << 10
  static let rowsMax = 8192

  /// Where a batch ends in `bytes` and `rows`.
  private struct Batch {
    var bytes: Int
    var rows: Int
    var next: Offset
  }

  private var bytes: [UInt8] = []
  private var rows: [RecordRow] = []
  private var batches: [Batch] = []
  /// The position behind it.
  var end: Offset = .zero
  /// Why nothing comes behind it.
  var failure: LogError?

  var isFull: Bool { bytes.count >= ReadPiece.bytesMax || rows.count >= ReadPiece.rowsMax }
  var isEmpty: Bool { batches.isEmpty }
  var byteCount: Int { bytes.count }

  mutating func add(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    bytes.withUnsafeBytes { self.bytes.append(contentsOf: $0) }
    rows.withUnsafeBufferPointer { self.rows.append(contentsOf: $0) }
    batches.append(Batch(bytes: self.bytes.count, rows: self.rows.count, next: next))
    end = next
  }

  func lend<Sink: RecordSink & ~Copyable>(to sink: inout Sink) {
    var start = (bytes: 0, rows: 0)
    for batch in batches {
      sink.apply(
        bytes.span.bytes.extracting(start.bytes..<batch.bytes),
        rows.span.extracting(start.rows..<batch.rows), next: batch.next)
      start = (batch.bytes, batch.rows)
    }
  }

  /// Empty, with its memory; not with that of one huge batch.
  mutating func clear() {
    let keepsMemory = bytes.capacity <= 8 * ReadPiece.bytesMax
    bytes.removeAll(keepingCapacity: keepsMemory)
    rows.removeAll(keepingCapacity: keepsMemory)
    batches.removeAll(keepingCapacity: true)
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
