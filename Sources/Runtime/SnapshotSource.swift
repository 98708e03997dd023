import EventStorage
import Projections

/// A fold whose snapshots are stored: one projection of one partition.
struct SnapshotSource: Sendable {
  /// Up to where it was stored last, or what it started from.
  private var known: Offset?
  private let snapshot: @Sendable (_ known: Offset?) -> Stored?

  private struct Stored: Sendable {
    var bytes: [UInt8]
    var projection: String
    var partition: Partition
    var position: Offset
  }

  /// - Parameter fold: as it is now; nil while nobody holds it.
  init<State: Projection>(
    of log: LogIdentity, _ fold: @escaping @Sendable () -> Fold<State>?
  ) {
    known = fold()?.position
    snapshot = { known in
      guard let fold = fold(), fold.position != known else { return nil }
      return Stored(
        bytes: Snapshot.encode(fold, of: log), projection: State.name, partition: fold.partition,
        position: fold.position)
    }
  }

  /// Stores the fold as it is now, unless nothing has come since the last time. Blocks.
  mutating func store(in files: SnapshotFiles) throws(SnapshotFilesFailure) {
    guard let new = snapshot(known) else { return }
    try files.store(new.bytes, of: new.projection, in: new.partition, at: new.position)
    known = new.position
  }
}
