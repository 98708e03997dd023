/// Pieces of a log between the thread that reads them and the one that takes them.
struct ReadPieces: Sendable {
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
  func nextReady() -> ReadPiece? {
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

  func giveBack(_ piece: ReadPiece) {
    let wakes = withLock { pieces in
      pieces.spare.append(piece)
      return pieces.isReaderAsleep && pieces.isWorthWaking
    }
    if wakes { change { $0.isReaderAsleep = false } }
  }

  /// A piece to fill, or nil when nobody takes it.
  func takeSpare() -> ReadPiece? {
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

  func hand(over piece: ReadPiece) {
    change {
      $0.readyBytes += piece.byteCount
      $0.ready.append(piece)
    }
  }

  func stopAndWait() {
    change { $0.isStopped = true }
    while !wait(for: .seconds(60), until: { $0.isOver }) {}
  }
}
