internal import EventStorage
internal import SegmentStorage

/// Fetches: what is new goes out at once, and a reader that has everything waits.
extension EmbeddedLogHost {
  /// - Parameter changed: where there may be news; everywhere when nil.
  func fetch(_ fetch: Parked, _ log: SegmentedLog, _ changed: [Partition]? = nil) {
    guard case .log(.fetch(let wanted)) = fetch.envelope.letter else { return }
    parked.removeAll { $0.envelope.from == fetch.envelope.from }
    var found: [Fetched] = []
    for (partition, from) in wanted where changed?.contains(partition) ?? true {
      guard let fetched = read(partition, from: from, log) else { continue }
      found.append(fetched)
    }
    if died() { return }
    let isNews = found.contains { !$0.batches.isEmpty || $0.failure != nil || $0.next != $0.from }
    guard isNews || fetch.deadline <= world.now else {
      parked.append(fetch)
      return
    }
    busyUntil = max(busyUntil, world.now) + disk.takeTime()
    answer(.fetched(found), to: fetch.envelope, after: .zero)
  }

  func unpark(_ changed: [Partition]) {
    guard let log else { return }
    let waiting = parked
    parked = []
    for fetch in waiting where self.log != nil { self.fetch(fetch, log, changed) }
  }

  private func read(_ partition: Partition, from offset: Offset, _ log: SegmentedLog) -> Fetched? {
    guard let bounds = try? log.bounds(of: partition) else { return nil }
    var fetched = Fetched(
      partition: partition, from: offset, batches: [], next: offset, bounds: shown(bounds))
    if offset < bounds.end, offset > bounds.start, world.chance.wants(.rewind) {
      let back = Int64(world.chance.below(20))
      fetched.from = max(bounds.start, Offset(offset.rawValue - back))
      if fetched.from < offset { world.chance.count(.rewind) }
    }
    var copies = BatchCopies()
    let errors = disk.errors
    do throws(LogError) {
      fetched.next = try log.read(
        partition, from: fetched.from, bytesMax: 16 << 10, into: &copies)
    } catch {
      fetched.failure = error
      fetched.next = fetched.from
      copies.batches = []
      if case .beyondEnd = error {
        world.fail(13, "\(partition) ends before \(offset), which somebody has read")
      }
      found(error, errors: errors)
    }
    fetched.batches = copies.batches
    if fetched.failure == nil {
      let checked = fetched
      world.check { () throws(Broken) in try world.oracle.check(checked) }
    }
    return fetched
  }
}
