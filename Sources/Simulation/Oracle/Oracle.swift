internal import EventStorage
internal import Projections
internal import SegmentStorage

/// Knows what everybody must see: watches the log behind the disk's back, and judges what others were told.
final class Oracle {
  let layout: LogLayout
  let log: LogKind
  var ledgers: [Partition: PartitionLedger] = [:]
  var models: [Partition: ChannelModel] = [:]
  /// Keys of messages that lie in a cluster twice, as streams may show them.
  var doubled: Set<UInt64> = []
  /// Folds of everything that ever was, nothing of it compacted.
  private(set) var routes = Fold<RoutingTable>(Partition(.topology, 0))
  private(set) var directory = Fold<Directory>(Partition(.topology, 0))
  var counts = WorldReport.Counts()
  /// Up to here compaction may have been: in between two positions a reader may have seen fewer changes.
  var compactedTo: [Partition: Offset] = [:]

  init(partitions: Int, log: LogKind = .embedded) {
    self.log = log
    layout = LogLayout(partitions: partitions)
    for partition in layout.all {
      ledgers[partition] = PartitionLedger(partition)
      if partition.topic == .messages { models[partition] = ChannelModel() }
    }
  }

  var acknowledged: Int { layout.all.reduce(0) { $0 + (ledgers[$1]?.acknowledged ?? 0) } }
  var records: Int { layout.all.reduce(0) { $0 + (ledgers[$1]?.entries.count ?? 0) } }

  func end(of partition: Partition) -> Offset { ledgers[partition]?.end ?? .zero }

  // MARK: The log

  func attempt(_ number: UInt64, _ batch: AppendBatch, in partition: Partition) {
    ledgers[partition]?.attempt(number, batch)
  }

  func acknowledge(
    _ number: UInt64, _ batch: AppendBatch, in partition: Partition,
    _ answer: Result<Appended, LogError>
  ) throws(Broken) {
    try ledgers[partition]?.acknowledge(number, batch, answer)
    if case .failure(.fenced) = answer { counts.refusedStale += 1 }
  }

  func check(
    acknowledged key: String, before end: Offset, in partition: Partition
  ) throws(Broken) {
    if log == .kafka {
      try ledgers[partition]?.checkCluster(acknowledged: key, before: end)
    } else {
      try ledgers[partition]?.check(acknowledged: key, before: end)
    }
  }

  func fenced(_ writer: Writer, in partition: Partition) throws(Broken) {
    counts.fences += 1
    try ledgers[partition]?.fenced(writer)
  }

  /// Takes in what became visible. The disk is quiet meanwhile.
  func watch(
    _ partitions: [Partition], of log: SegmentedLog, on disk: SimulatedDisk
  ) throws(Broken) {
    for partition in partitions { try watch(partition, of: log, on: disk) }
  }

  private func watch(
    _ partition: Partition, of log: SegmentedLog, on disk: SimulatedDisk
  ) throws(Broken) {
    do {
      let bounds = try log.bounds(of: partition)
      ledgers[partition]?.observe(bounds)
      let known = end(of: partition)
      guard bounds.end >= known else {
        throw Broken(13, "\(partition) ends at \(bounds.end), and \(known) was visible")
      }
      guard bounds.end > known else { return }
      var copies = BatchCopies()
      var next = known
      while next < bounds.end {
        next = try log.read(partition, from: next, bytesMax: 1 << 20, into: &copies)
      }
      for batch in copies.batches { try admit(batch, to: partition) }
      ledgers[partition]?.advance(to: bounds.end)
    } catch let error as Broken {
      throw error
    } catch {
      guard !disk.damages.isEmpty else {
        throw Broken(13, "what was just written cannot be read: \(error)")
      }
      // Found, and not taken for what was written.
      counts.damagesFound += 1
      disk.restore()
      try watch(partition, of: log, on: disk)
    }
  }

  private func admit(_ batch: ServedBatch, to partition: Partition) throws(Broken) {
    try ledgers[partition]?.admit(batch)
    fold(batch, of: partition)
  }

  /// What became visible, as it must be seen.
  func fold(_ batch: ServedBatch, of partition: Partition) {
    models[partition]?.apply(batch)
    if partition.topic == .topology {
      routes.apply(batch.bytes.span.bytes, batch.rows.span, next: batch.next)
      directory.apply(batch.bytes.span.bytes, batch.rows.span, next: batch.next)
    }
  }

  /// A new opening of the log: what was not written never will be.
  func forgetAttempts() {
    for partition in layout.all { ledgers[partition]?.forgetAttempts() }
  }

  /// Everything that was visible is there, and unchanged.
  func verify(_ log: SegmentedLog, from start: (Partition) -> Offset) throws(Broken) {
    for partition in layout.all {
      do {
        let bounds = try log.bounds(of: partition)
        var copies = BatchCopies()
        let first = max(bounds.start, start(partition))
        var next = first
        while next < bounds.end {
          next = try log.read(partition, from: next, bytesMax: 1 << 20, into: &copies)
        }
        try check(
          Fetched(
            partition: partition, from: first, batches: copies.batches, next: next, bounds: bounds))
      } catch let error as Broken {
        throw error
      } catch {
        throw Broken(13, "\(partition) cannot be read: \(error)")
      }
    }
  }

  func compacted(_ partition: Partition) { compactedTo[partition] = end(of: partition) }

  /// What somebody was lent.
  func check(_ fetched: Fetched) throws(Broken) {
    try ledgers[fetched.partition]?.check(
      fetched.batches, from: fetched.from, to: fetched.next,
      told: log == .kafka ? fetched.bounds.tombstoneHorizon : nil)
    if log == .kafka { try ledgers[fetched.partition]?.checkWhole(at: fetched.next) }
  }

  // MARK: States

  /// A fold of the channels of a partition is what it must be at its position.
  func check(_ fold: Fold<Channels>, law: Int, _ whose: String) throws(Broken) {
    guard let model = models[fold.partition] else { return }
    // Between two states a compacted log may not have shown everything yet.
    guard fold.position >= compactedTo[fold.partition, default: .zero] else {
      counts.statesSkipped += 1
      return
    }
    counts.statesCompared += 1
    let expected = model.state(at: fold.position)
    let found = EncodedChannels(fold.state)
    guard found.sum == expected.sum, found.count == expected.count,
      found.logTime == expected.logTime
    else {
      throw Broken(
        law,
        "\(whose) has at \(fold.position) of \(fold.partition) \(found.count) messages at log time \(found.logTime); there are \(expected.count) at \(expected.logTime)"
      )
    }
  }

  /// A view of a channel is what it must be at its position.
  func check(_ view: EncodedView, of channel: String, law: Int, _ whose: String) throws(Broken) {
    guard let model = models[view.partition] else { return }
    guard view.position >= compactedTo[view.partition, default: .zero] else {
      counts.viewsSkipped += 1
      return
    }
    counts.viewsCompared += 1
    guard model.view(of: channel, at: view.position) == view.sum else {
      throw Broken(
        law, "\(whose) sees \(channel) at \(view.position) of \(view.partition) as it never was")
    }
  }

  /// Folds of topology are what an uncompacted log folds to.
  func check(
    _ routes: Fold<RoutingTable>, _ directory: Fold<Directory>, _ whose: String
  ) throws(Broken) {
    counts.statesCompared += 2
    guard routes.state.digest == self.routes.state.digest else {
      throw Broken(6, "\(whose) has other routes at \(routes.position) than the log")
    }
    guard directory.state.digest == self.directory.state.digest else {
      throw Broken(6, "\(whose) has other nodes at \(directory.position) than the log")
    }
  }
}
