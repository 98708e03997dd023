internal import EventStorage
internal import KafkaStorage

/// What the oracle is shown of the cluster, and what the cleaner takes.
extension Cluster {
  /// Tells the oracle of what became visible in a partition.
  func show(_ place: Int) {
    let partition = partitions[place]
    guard case .log(let name) = partition.topic else { return showLives(partition) }
    let oracle = world.oracle
    let known = stableEnds[place]
    stableEnds[place] = max(known, partition.stableEnd)
    world.check { () throws(Broken) in
      guard partition.stableEnd >= known else {
        throw Broken(13, "\(name) is stable up to \(partition.stableEnd), and was up to \(known)")
      }
      for entry in partition.entries[partition.index(of: known)...]
      where entry.state == .committed && entry.offset >= partition.stableEnd
        && !entry.isTransactional
      {
        oracle.stored(entry.record.header.id, at: entry.offset, in: name)
      }
      for entry in partition.entries[partition.index(of: known)...]
      where entry.state == .committed && entry.offset < partition.stableEnd {
        try oracle.admit(entry.record, at: entry.offset, to: name)
      }
    }
  }

  /// A life of a writer is in once the control topic says so.
  private func showLives(_ partition: ClusterPartition) {
    var place = partition.index(of: controlSeen)
    while place < partition.entries.count, partition.entries[place].offset < partition.stableEnd {
      let entry = partition.entries[place]
      if entry.state == .committed, let (writer, of) = ControlRecord.life(entry.record) {
        world.check { () throws(Broken) in try world.oracle.fenced(writer, in: of) }
      }
      place += 1
    }
    controlSeen = partition.stableEnd
  }

  func clean() {
    let now = world.clock(of: id)
    let isHasty = world.options.canary == .compactPastStable
    for place in partitions.indices {
      guard case .log(let name) = partitions[place].topic else {
        _ = clean(place, now, isHasty: false)
        continue
      }
      if name.topic.isCompacted {
        let cleaned = clean(place, now, isHasty: isHasty)
        world.oracle.counts.compactions += cleaned.gone.isEmpty ? 0 : 1
        world.oracle.cleaned(name, cleaned.gone, before: cleaned.end)
      } else {
        partitions[place].retain(
          notBefore: now - settings.observationsRetention.microseconds / 1000)
        world.oracle.retained(name, from: partitions[place].start)
      }
    }
  }

  private func clean(_ place: Int, _ now: Int64, isHasty: Bool) -> ClusterPartition.Cleaned {
    partitions[place].clean(
      at: now, lag: settings.compactionLag.microseconds / 1000,
      tombstones: settings.tombstoneRetention.microseconds / 1000, isHasty: isHasty)
  }

  /// Everything that was ever visible is there, but for what was compacted rightly.
  func verify(_ place: Int) {
    let partition = partitions[place]
    guard case .log(let name) = partition.topic else { return }
    let all = partition.read(from: partition.start, .committed, recordsMax: .max)
    var batch = BatchBuilder()
    for record in all.records { batch.take(record) }
    let fetched = Fetched(
      partition: name, from: all.from, batches: batch.finish().map { [$0] } ?? [],
      next: all.next,
      bounds: LogBounds(start: all.start, end: all.end, tombstoneHorizon: all.end))
    world.check { () throws(Broken) in try world.oracle.check(fetched) }
  }
}
