internal import EventStorage

/// The end of a partition on disk: writes batches behind each other, and begins a new segment when one is full.
///
/// What it throws is final: after a failed write or sync nobody knows what the disk holds (law 15).
struct SegmentWriter {
  /// Room made of zeros ahead of small batches: overwriting costs a sync half of what growing a file does.
  static let roomBytes = 1 << 20
  /// Larger batches grow the file: writing zeros first would double their cost.
  static let smallBatchBytes = 64 << 10

  let place: PartitionPlace
  private let segmentBytes: Int
  private let monitor: Monitor<PartitionLog.State>
  private var file: (any DiskFile)?
  private var base: Offset
  /// Where the next batch goes.
  private var position: Int
  /// How far the file reaches, zeros included.
  private var size: Int
  private var lastBatchBytes = 0
  private(set) var next: Offset
  private(set) var newest: Int64
  /// Up to where the state file knows the appends.
  private var remembered: Offset

  init(
    _ found: PartitionRecovery, at place: PartitionPlace, segmentBytes: Int,
    monitor: Monitor<PartitionLog.State>
  ) {
    self.place = place
    self.segmentBytes = segmentBytes
    self.monitor = monitor
    file = found.active?.file
    base = found.active?.base ?? found.end
    position = found.active?.bytes ?? 0
    size = (try? found.active?.file.size()) ?? position
    next = found.end
    newest = found.newest
    remembered = found.remembered
  }

  /// Makes a batch durable, then visible.
  mutating func write(
    _ batch: RawSpan, _ encoded: EncodedBatch, _ memory: AppendMemory
  ) throws(DiskError) {
    if position > 0 && position + batch.byteCount > segmentBytes { try roll(memory) }
    let file = if let file { file } else { try open() }
    let start = position
    try file.writeAll(batch, at: start)
    try file.sync()
    position += batch.byteCount
    size = max(size, position)
    lastBatchBytes = batch.byteCount
    next = encoded.next
    newest = encoded.newest
    monitor.withLock { state in
      state.active?.bytes = position
      state.active?.newest = newest
      state.active?.index.add(offset: encoded.base.rawValue, position: start)
      state.end = next
    }
    monitor.signalProgress()
  }

  /// Closes the active segment and begins the next. Whatever step a crash comes after, opening finds a whole log.
  mutating func roll(_ memory: AppendMemory) throws(DiskError) {
    guard let old = file, position > 0 else { return }
    try old.truncate(to: position)
    try old.sync()
    // Before there is a closed segment: its keys and writers are not read from its records again.
    try remember(memory)
    let content = monitor.withLock { state in
      IndexFile(
        base: base.rawValue, end: next.rawValue, bytes: position,
        newest: state.active?.newest ?? newest, index: state.active?.index ?? SparseIndex())
    }
    place.writeIndex(content)
    _ = try open(closing: Segment(content, file: old))
  }

  /// Writes down which keys and writers the partition knows.
  mutating func remember(_ memory: AppendMemory) throws(DiskError) {
    guard remembered != next else { return }
    try unsafe place.disk.replace(
      place.path(SegmentName.appendState), in: place.directory,
      with: memory.encoded(upTo: next, newest: newest).span.bytes)
    remembered = next
  }

  /// Puts zeros ahead of the batches to come. Only saves time, so it may fail.
  mutating func makeRoom() {
    guard let file, lastBatchBytes < SegmentWriter.smallBatchBytes,
      size - position < SegmentWriter.smallBatchBytes
    else { return }
    let count = min(SegmentWriter.roomBytes, segmentBytes - size)
    guard count > 0 else { return }
    let zeros = [UInt8](repeating: 0, count: count)
    do throws(DiskError) {
      try unsafe file.writeAll(zeros.span.bytes, at: size)
      size += count
    } catch {
      size = max(position, (try? file.size()) ?? size)
    }
  }

  /// Takes the room away again, so that a closed log holds nothing but batches.
  mutating func trim() {
    guard let file, size > position, (try? file.truncate(to: position)) != nil else { return }
    size = position
  }

  @discardableResult
  private mutating func open(closing old: Segment? = nil) throws(DiskError) -> any DiskFile {
    let opened = try place.disk.open(place.path(SegmentName.log(next)), .replace)
    try opened.sync()
    try place.disk.syncDirectory(place.directory)
    file = opened
    base = next
    position = 0
    size = 0
    monitor.withLock { state in
      if let old { state.sealed.append(old) }
      state.active = ActiveSegment(base: base, bytes: 0, newest: newest, file: opened)
    }
    return opened
  }
}
