/// A bug that is planted on purpose: a simulator that does not find it is broken (law 33). None of this is in the product.
package enum Canary: String, CaseIterable, Sendable {
  /// The disk says that a segment is synced, and does nothing.
  case skipSync = "skip-sync"
  /// The log's host answers an append before it is committed.
  case acknowledgeEarly = "acknowledge-early"
  /// The log's host drops tombstones before their time, and does not say so.
  case dropTombstoneEarly = "drop-tombstone-early"
  /// The log's host forgets which writer is in.
  case acceptStaleWriter = "accept-stale-writer"
  /// An instance goes on from before the tombstone horizon.
  case resumePastHorizon = "resume-past-horizon"
  /// An instance's snapshots lack the log's time.
  case forgetSnapshotField = "forget-snapshot-field"
}
