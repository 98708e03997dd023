internal import EventStorage
internal import Projections
internal import SegmentStorage

/// Starting: the newest snapshot that fits, and what follows it. And storing them.
extension Instance {
  private static let folder = "snapshots"
  /// Snapshots kept of one projection of one partition.
  private static let keptMax = 2

  func begin(within all: [(Partition, LogBounds)]) {
    for (partition, bounds) in all {
      switch partition.topic {
      case .messages:
        let found = newest(Channels.self, of: partition, within: bounds)
        if let found {
          world.check { () throws(Broken) in
            try world.oracle.check(found, law: 3, "\(name), from a snapshot,")
          }
        }
        channels.append(Following(partition, from: found, within: bounds))
      case .observations: loads.append(Following(partition, from: nil, within: bounds))
      case .topology:
        directory = Following(
          partition, from: newest(Directory.self, of: partition, within: bounds), within: bounds)
        routes = Following(
          partition, from: newest(RoutingTable.self, of: partition, within: bounds), within: bounds)
      case .deliveries: break
      }
    }
  }

  /// What somebody left here who served another log. It must be refused (law 3).
  func plantForeignSnapshot() {
    for partition in world.oracle.layout.partitions(of: .messages) {
      store(
        Fold<Channels>(partition, position: Offset(1 + Int64(world.chance.below(20)))),
        LogIdentity(7))
    }
  }

  func storeSnapshots() {
    guard let identity else { return }
    for following in channels { store(following.fold, identity) }
    if let directory { store(directory.fold, identity) }
    if let routes { store(routes.fold, identity) }
    _ = disk.takeTime()
  }

  private func store<State: Projection>(_ fold: Fold<State>, _ identity: LogIdentity) {
    guard fold.position > .zero else { return }
    let name = path(of: State.self, fold.partition, at: fold.position)
    let bytes = Snapshot.encode(forgetful(fold), of: identity)
    do throws(DiskError) {
      try disk.makeDirectory(Instance.folder)
      try disk.replace(name, in: Instance.folder, with: bytes.span.bytes)
      for old in try names(State.self, fold.partition).dropFirst(Instance.keptMax) {
        try disk.remove("\(Instance.folder)/\(old)")
      }
      world.oracle.counts.snapshots += 1
    } catch {
      // A cache: the next start folds more of the log.
      return
    }
  }

  /// Canary: the fold as it is, but for one field.
  private func forgetful<State: Projection>(_ fold: Fold<State>) -> Fold<State> {
    guard world.options.canary == .forgetSnapshotField, State.self == Channels.self else {
      return fold
    }
    var bytes: [UInt8] = []
    fold.state.encode(into: &bytes)
    for index in 0..<8 { bytes[index] = 0 }
    guard let state = try? State(decoding: bytes.span.bytes) else { return fold }
    return Fold(fold.partition, state: state, position: fold.position)
  }

  private func newest<State: Projection>(
    _ type: State.Type, of partition: Partition, within bounds: LogBounds
  ) -> Fold<State>? {
    guard let identity, let names = try? names(type, partition) else { return nil }
    var bounds = bounds
    if world.options.canary == .resumePastHorizon { bounds.tombstoneHorizon = .zero }
    for name in names {
      guard
        let bytes = try? disk.open("\(Instance.folder)/\(name)", .read).contents(atMost: 64 << 20)
      else { continue }
      do throws(SnapshotFailure) {
        return try Snapshot.decode(bytes, of: identity, partition, within: bounds)
      } catch {
        switch error {
        case .beforeHorizon, .otherLog: world.oracle.counts.snapshotsRefused += 1
        default: break
        }
      }
    }
    return nil
  }

  /// The newest first.
  private func names<State: Projection>(
    _ type: State.Type, _ partition: Partition
  ) throws(DiskError) -> [String] {
    let prefix = prefix(of: type, partition)
    return (try disk.list(Instance.folder) ?? [])
      .filter { $0.hasPrefix(prefix) && !$0.hasSuffix(".tmp") }.sorted(by: >)
  }

  private func path<State: Projection>(
    of type: State.Type, _ partition: Partition, at offset: Offset
  ) -> String {
    let digits = "\(offset)"
    let zeros = String(repeating: "0", count: 20 - digits.utf8.count)
    return "\(Instance.folder)/\(prefix(of: type, partition))\(zeros)\(digits)"
  }

  private func prefix<State: Projection>(of type: State.Type, _ partition: Partition) -> String {
    "\(State.name)-\(partition.topic.name)-\(partition.index)-"
  }
}
