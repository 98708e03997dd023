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
  /// A connection says that nothing waits for its reader.
  case hidePending = "hide-pending"
  // In a world on Kafka.
  /// A broker shows readers what is not committed, or was aborted.
  case readUncommitted = "read-uncommitted"
  /// The brokers let in whoever a newer life of its id has fenced.
  case forgetFence = "forget-fence"
  /// A broker takes what a producer sends again for something new.
  case forgetSequence = "forget-sequence"
  /// A client answers an append of a transaction before its commit.
  case answerBeforeCommit = "answer-before-commit"
  /// A client says that an append that timed out is not there, and does not look.
  case guessAfterTimeout = "guess-after-timeout"
  /// The cleaner goes past the last stable offset.
  case compactPastStable = "compact-past-stable"

  /// The log in whose worlds it is found.
  package var log: LogKind {
    switch self {
    case .skipSync, .acknowledgeEarly, .dropTombstoneEarly, .acceptStaleWriter, .resumePastHorizon,
      .forgetSnapshotField, .hidePending:
      .embedded
    case .readUncommitted, .forgetFence, .forgetSequence, .answerBeforeCommit, .guessAfterTimeout,
      .compactPastStable:
      .kafka
    }
  }
}
