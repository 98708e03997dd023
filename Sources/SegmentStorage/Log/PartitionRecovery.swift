internal import EventStorage
internal import Glibc

/// What is found on disk when a partition is opened, made right again where a crash left it half done.
struct PartitionRecovery {
  var sealed: [Segment] = []
  var active: ActiveSegment?
  var end = Offset.zero
  var newest: Int64 = 0
  var memory = AppendMemory()
  /// Up to where `appends.state` knows the appends.
  var remembered = Offset.zero
  var compaction = CompactionState()

  /// Two looks are nearly always enough, however busy the other process is.
  static let looksMax = 100

  private let place: PartitionPlace
  private let isReadOnly: Bool

  /// What there is beside a process that writes, which may close, merge and remove segments between a look at their names and a look
  /// into them. What that looks like is gone at the next look; damage is still there.
  init(beside place: PartitionPlace) throws(LogError) {
    var seen: LogError?
    for _ in 0..<PartitionRecovery.looksMax {
      do throws(LogError) {
        self = try PartitionRecovery(place, isReadOnly: true)
        return
      } catch {
        if error == seen { throw error }
        seen = error
      }
    }
    throw place.cannotOpen("it changes faster than it can be read", "try again")
  }

  init(_ place: PartitionPlace, isReadOnly: Bool) throws(LogError) {
    self.place = place
    self.isReadOnly = isReadOnly
    let bases = try segments()
    try readAppends(hasClosedSegments: bases.count > 1)
    var expected = bases.first
    for (index, base) in bases.enumerated() {
      // A crash in the middle of merging leaves segments that the merged one before them holds already.
      if let expected, base < expected {
        try removeMerged(base)
        continue
      }
      if let expected, base != expected {
        throw place.corrupt(expected, "the records from here to \(base) are missing")
      }
      if index == bases.count - 1 {
        try openActive(base)
      } else {
        let segment = try openSealed(base, followers: bases[(index + 1)...])
        sealed.append(segment)
        expected = segment.end
        newest = max(newest, segment.newest)
      }
    }
    try readCompaction()
    guard end >= remembered else {
      throw place.corrupt(end, "records up to \(remembered) were durable and are missing")
    }
    if !isReadOnly { try makeDurable() }
  }

  /// What was found may be in the cache of the operating system only, left there by a process that died before its sync, or whose
  /// sync failed; then no later sync would write it either. Nobody may see it before it has been written again, and synced.
  ///
  /// Into a new file: what is durable already would be at stake if the power went out while it is written over.
  private mutating func makeDurable() throws(LogError) {
    do throws(DiskError) {
      let unsure = end > remembered ? active : nil
      if let unsure { try copy(unsure) }
      try place.disk.syncDirectory(place.directory)
      guard let unsure else { return }
      let file = try place.disk.open(place.path(SegmentName.log(unsure.base)), .write)
      active?.file = file
    } catch {
      throw openFailure(error, at: place.directory)
    }
  }

  /// Puts a copy in the place of the last segment, in one step.
  private func copy(_ active: ActiveSegment) throws(DiskError) {
    let path = place.path(SegmentName.log(active.base))
    let copy = try place.disk.open(path + ".tmp", .replace)
    var buffer = [UInt8](repeating: 0, count: min(1 << 20, active.bytes))
    var position = 0
    while position < active.bytes {
      let wanted = min(buffer.count, active.bytes - position)
      var span = buffer.mutableSpan
      var target = unsafe span.mutableBytes
      let count = try active.file.read(wanted, into: &target, at: position)
      guard count == wanted else { throw .failed(operation: "read", path: path, code: EIO) }
      try unsafe copy.writeAll(buffer.span.bytes.extracting(first: count), at: position)
      position += count
    }
    try copy.sync()
    try place.disk.rename(path + ".tmp", to: path)
  }

  /// The bases of the segments in order. Files that were never finished are removed.
  private func segments() throws(LogError) -> [Offset] {
    let found = try place.attempt { () throws(DiskError) in
      try place.disk.list(place.directory)
    }
    guard let names = found else {
      throw place.cannotOpen("the directory is missing", "restore it from a copy")
    }
    var bases: [Offset] = []
    for name in names.sorted() {
      if let base = SegmentName.base(of: name, extension: ".log") {
        bases.append(base)
      } else if name.hasSuffix(".tmp") {
        if !isReadOnly { try remove(name) }
      } else if SegmentName.base(of: name, extension: ".index") == nil
        && name != SegmentName.appendState && name != SegmentName.compactionState
      {
        throw place.cannotOpen("\(name) is not a file of the log", "move it elsewhere")
      }
    }
    return bases
  }

  private mutating func readAppends(hasClosedSegments: Bool) throws(LogError) {
    if let file = try place.read(SegmentName.appendState, atMost: AppendMemory.bytesMax) {
      guard let decoded = AppendMemory.decode(file) else {
        throw place.corrupt(.zero, "\(SegmentName.appendState) is damaged")
      }
      memory = decoded.memory
      remembered = decoded.upTo
      newest = decoded.newest
    } else if hasClosedSegments {
      throw place.corrupt(.zero, "\(SegmentName.appendState) is missing")
    }
  }

  /// Read when the segments are open: it is written before they are replaced, so it knows of all that is gone from them.
  private mutating func readCompaction() throws(LogError) {
    guard let file = try place.read(SegmentName.compactionState, atMost: 4096) else { return }
    guard let decoded = CompactionState(file) else {
      throw place.corrupt(.zero, "\(SegmentName.compactionState) is damaged")
    }
    compaction = decoded
  }

  /// Takes a closed segment as its index describes it; reads it whole when the index does not fit.
  private func openSealed(
    _ base: Offset, followers: ArraySlice<Offset>
  ) throws(LogError) -> Segment {
    let path = place.path(SegmentName.log(base))
    let (file, size) = try place.attempt { () throws(DiskError) in
      let file = try place.disk.open(path, .read)
      return (file, try file.size())
    }
    if let bytes = try place.read(SegmentName.index(base), atMost: IndexFile.bytesMax),
      let content = IndexFile(bytes), content.base == base.rawValue, content.bytes == size,
      followers.contains(Offset(content.end))
    {
      return Segment(content, file: file)
    }
    var ignored = AppendMemory()
    let scan = scanSegment(
      file, size: size, base: base, newest: 0, check: place.check, isContiguous: false,
      memory: &ignored)
    if let failure = scan.failure { throw place.corrupt(scan.end, failure.text) }
    guard followers.contains(scan.end) else {
      throw place.corrupt(scan.end, "the rest of the segment \(base) is missing")
    }
    let content = IndexFile(
      base: base.rawValue, end: scan.end.rawValue, bytes: size, newest: scan.newest,
      index: scan.index)
    if !isReadOnly { place.writeIndex(content) }
    return Segment(content, file: file)
  }

  /// Reads the last segment whole, and cuts a torn tail off.
  private mutating func openActive(_ base: Offset) throws(LogError) {
    let path = place.path(SegmentName.log(base))
    let (file, size) = try place.attempt { () throws(DiskError) in
      let file = try place.disk.open(path, isReadOnly ? .read : .write)
      return (file, try file.size())
    }
    var scan = scanSegment(
      file, size: size, base: base, newest: newest, check: place.check, isContiguous: true,
      memory: &memory)
    try judgeTail(of: file, size: size, &scan)
    end = scan.end
    newest = scan.newest
    active = ActiveSegment(
      base: base, bytes: scan.bytes, newest: scan.newest, index: scan.index, file: file)
  }

  /// Zeros are room for what comes. Anything else is a batch that never became durable, unless a valid one
  /// follows: one commit is under way at a time, so what lies before a valid batch had been durable.
  ///
  /// Beside a process that writes, the tail may hold what came after the scan had passed. It was all written before the tail was read, so
  /// a scan that goes on now finds it; what it still does not take is damage.
  private mutating func judgeTail(
    of file: any DiskFile, size: Int, _ scan: inout SegmentScan
  ) throws(LogError) {
    guard scan.failure != nil else { return }
    let start = scan.bytes
    let tail = try place.attempt { () throws(DiskError) in
      try SegmentTail(of: file, from: start, to: size)
    }
    var found = TailFindings()
    while let failure = scan.failure {
      if case .disk(let error) = failure { throw place.corrupt(scan.end, "\(error)") }
      found = tail.findings(behind: scan.bytes, from: scan.end, check: place.check)
      guard let damage = damage(in: found, failure) else { break }
      let known = scan.bytes
      if isReadOnly {
        scan.resume(
          file, size: size, check: place.check, isContiguous: true, memory: &memory)
      }
      guard scan.bytes > known else { throw place.corrupt(scan.end, damage) }
    }
    guard let failure = scan.failure, found.lastByte != nil else { return }
    guard scan.end >= remembered else {
      throw place.corrupt(scan.end, failure.text)
    }
    if isReadOnly { return }
    let end = scan.bytes
    try place.attempt { () throws(DiskError) in
      try file.truncate(to: end)
      try file.sync()
    }
  }

  private func damage(in tail: TailFindings, _ failure: SourceFailure) -> String? {
    if let later = tail.batch { return "\(failure.text), and records from \(later) follow" }
    return tail.isForeign ? failure.text : nil
  }

  private func removeMerged(_ base: Offset) throws(LogError) {
    guard !isReadOnly else { return }
    try remove(SegmentName.log(base))
    let index = SegmentName.index(base)
    if try place.read(index, atMost: IndexFile.bytesMax) != nil { try remove(index) }
  }

  private func remove(_ name: String) throws(LogError) {
    try place.attempt { () throws(DiskError) in try place.disk.remove(place.path(name)) }
  }
}
