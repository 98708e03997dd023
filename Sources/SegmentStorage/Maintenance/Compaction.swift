internal import EventStorage

/// One run of compaction over the closed segments of a partition.
///
/// A record goes when a later one below the clean point has its key, or when it is a tombstone below the horizon. What stays keeps
/// its offset, its time and its batch; so end and log time never go back. Readers that hold an old file read on in it.
struct Compaction {
  let log: PartitionLog
  let options: SegmentedLog.Options
  private var place: PartitionPlace { log.place }

  /// - Parameter always: also when too little has come since the last run.
  /// - Returns: the bytes that were freed.
  func run(now: Int64, always: Bool) throws(LogError) -> Int {
    let (segments, state) = log.monitor.withLock { ($0.sealed, $0.compaction) }
    guard let last = segments.last, always || isWorthwhile(segments, state) else { return 0 }
    let (keys, cleanPoint) = try learnKeys(segments, from: state.cleanedTo, to: last.end)
    let horizon = max(
      state.tombstoneHorizon, min(cleanPoint, try tombstoneHorizon(segments, now: now)))
    // Readers must know before the first tombstone (law 7) and the first record that was replaced (law 30) go.
    if horizon != state.tombstoneHorizon || cleanPoint > state.cleanPoint {
      try store {
        $0.tombstoneHorizon = horizon
        $0.cleanPoint = max($0.cleanPoint, cleanPoint)
      }
    }
    var freed = 0
    var rest = segments[...].prefix { $0.base < cleanPoint }
    while !rest.isEmpty {
      var survivors = Survivors(keys: keys, cleanPoint: cleanPoint, horizon: horizon)
      freed += try rewrite(&rest, &survivors)
    }
    try store { $0.cleanedTo = max($0.cleanedTo, cleanPoint) }
    return freed
  }

  private func isWorthwhile(_ segments: [Segment], _ state: CompactionState) -> Bool {
    let all = segments.reduce(0) { $0 + $1.bytes }
    let dirty = segments.filter { $0.end > state.cleanedTo }.reduce(0) { $0 + $1.bytes }
    return dirty > 0 && dirty * 100 >= all * options.compactionDirtyPercent
  }

  /// The keys from `start` on, as far as the memory for them goes, and the position behind the last of them.
  private func learnKeys(
    _ segments: [Segment], from start: Offset, to end: Offset
  ) throws(LogError) -> (KeyOffsets, cleanPoint: Offset) {
    var learner = KeyLearner(from: start)
    for segment in segments where segment.end > start {
      var stoppedAt: Offset?
      try read(segment, from: start) { batch, header, reader throws(LogError) in
        try verify(header) { () throws(BatchDamage) in
          try reader.visit(batch, header, &learner)
        }
        guard learner.offsets.count >= options.compactionKeysMax else { return true }
        stoppedAt = Offset(header.next)
        return false
      }
      if let stoppedAt { return (learner.offsets, stoppedAt) }
    }
    return (learner.offsets, end)
  }

  /// The position before which everything is old enough for tombstones to go.
  private func tombstoneHorizon(_ segments: [Segment], now: Int64) throws(LogError) -> Offset {
    let cutoff = now - options.tombstoneRetention.milliseconds
    var horizon = segments.first?.base ?? .zero
    for segment in segments {
      if segment.newest <= cutoff {
        horizon = segment.end
        continue
      }
      try read(segment, from: segment.base) { _, header, _ throws(LogError) in
        guard header.maxTimestamp <= cutoff else { return false }
        horizon = Offset(header.next)
        return true
      }
      break
    }
    return horizon
  }

  /// Writes what stays of the first of `rest` into one segment and puts it in their place: as many as fit, because many rounds
  /// must not leave many small files. A segment in which nothing changes is left alone.
  private func rewrite(
    _ rest: inout ArraySlice<Segment>, _ survivors: inout Survivors
  ) throws(LogError) -> Int {
    guard let base = rest.first?.base else { return 0 }
    let temporary = place.path(SegmentName.log(base) + ".tmp")
    do throws(LogError) {
      var output = CompactedSegment(
        base: base,
        file: try attempt { () throws(DiskError) in
          try place.disk.open(temporary, .replace)
        }, check: place.check, compression: options.compression)
      var group: [Segment] = []
      while let segment = rest.first,
        group.isEmpty || output.bytes + segment.bytes <= options.segmentBytes
      {
        try read(segment, from: segment.base) { batch, header, reader throws(LogError) in
          try verify(header) { () throws(BatchDamage) in
            try reader.visit(batch, header, &survivors)
          }
          try attempt { () throws(DiskError) in
            try output.add(batch, header, survivors)
          }
          return true
        }
        group.append(rest.removeFirst())
      }
      guard output.hasChanged || group.count > 1 else {
        try attempt { () throws(DiskError) in try place.disk.remove(temporary) }
        return 0
      }
      let content = try attempt { () throws(DiskError) in
        let content = try output.finish(end: group[group.count - 1].end)
        try replace(group, by: temporary, content)
        return content
      }
      let merged = Segment(content, file: output.file)
      log.replace(group, by: merged)
      for old in group.dropFirst() { place.removeSegment(old.base) }
      return group.reduce(0) { $0 + $1.bytes } - merged.bytes
    } catch {
      try? place.disk.remove(temporary)
      throw error
    }
  }

  /// The index goes first: one that describes the old file must never meet the new one.
  private func replace(
    _ group: [Segment], by temporary: String, _ content: IndexFile
  ) throws(DiskError) {
    let base = group[0].base
    do throws(DiskError) {
      try place.disk.remove(place.path(SegmentName.index(base)))
    } catch {
      guard error.isMissing else { throw error }
    }
    try place.disk.syncDirectory(place.directory)
    try place.disk.rename(temporary, to: place.path(SegmentName.log(base)))
    try place.disk.syncDirectory(place.directory)
    place.writeIndex(content)
  }

  private func store(_ change: (inout CompactionState) -> Void) throws(LogError) {
    var state = log.monitor.withLock { $0.compaction }
    change(&state)
    try attempt { () throws(DiskError) in
      try unsafe place.disk.replace(
        place.path(SegmentName.compactionState), in: place.directory,
        with: state.encoded().span.bytes)
    }
    log.monitor.withLock { $0.compaction = state }
  }

  /// Shows the batches of a segment from the one that holds `offset` on, until `body` says false.
  private func read(
    _ segment: Segment, from offset: Offset,
    _ body: (RawSpan, BatchHeader, inout BatchReader) throws(LogError) -> Bool
  ) throws(LogError) {
    var position = segment.index.position(of: offset)
    var next = segment.base
    var source = BatchSource()
    var reader = try makeReader()
    while let header = try load(&source, segment, at: position, next) {
      position += header.totalBytes
      next = Offset(header.next)
      if next <= offset { continue }
      let window = source.window
      let isMore = try unsafe body(window.span.bytes.extracting(source.batch), header, &reader)
      if !isMore { return }
    }
    guard next == segment.end else {
      throw place.corrupt(next, "the records from here to \(segment.end) are missing")
    }
  }

  private func load(
    _ source: inout BatchSource, _ segment: Segment, at position: Int, _ next: Offset
  ) throws(LogError) -> BatchHeader? {
    do throws(SourceFailure) {
      return try source.load(
        segment.file, at: position, limit: segment.bytes, check: place.check)
    } catch {
      throw place.corrupt(next, error.text)
    }
  }

  private func makeReader() throws(LogError) -> BatchReader {
    do throws(BatchDamage) {
      return try BatchReader()
    } catch {
      throw .stopped(detail: "compacting \(place.partition): \(error)")
    }
  }

  private func verify(
    _ header: BatchHeader, _ body: () throws(BatchDamage) -> Void
  ) throws(LogError) {
    do throws(BatchDamage) {
      try body()
    } catch {
      throw place.corrupt(Offset(header.baseOffset), "\(error)")
    }
  }

  /// A refusal of the disk ends the run; the log itself goes on.
  private func attempt<R>(_ body: () throws(DiskError) -> R) throws(LogError) -> R {
    do throws(DiskError) {
      return try body()
    } catch {
      throw error.isNoRoom
        ? .full(detail: "compacting \(place.partition): \(error)")
        : .stopped(detail: "compacting \(place.partition): \(error)")
    }
  }
}

extension Duration {
  var milliseconds: Int64 {
    components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000
  }
}
