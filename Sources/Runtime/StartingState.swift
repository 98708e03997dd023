import EventStorage
import Logging
import Projections

/// Where the fold of a partition starts: at a snapshot that fits, or at the beginning. A snapshot that does not fit costs time,
/// nothing else.
///
/// Streams resume from where the fold starts, so the newest snapshot that leaves `recentBytes` of the log to be read is taken. When all
/// are newer, the newest is: a short start is worth more than old tokens, which get the state.
func startingFold<State: Projection>(
  _ partition: Partition, _ log: some EventLog, _ files: SnapshotFiles?, recentBytes: Int,
  _ logger: Logger
) throws(LogError) -> Fold<State> {
  let bounds = try log.bounds(of: partition)
  let tail = try log.tailStart(of: partition, bytesMax: recentBytes)
  var newest: Fold<State>?
  for bytes in files?.newestFirst(of: State.name, in: partition) ?? [] {
    do throws(SnapshotFailure) {
      let fold: Fold<State> = try Snapshot.decode(
        bytes, of: log.identity, partition, within: bounds)
      newest = newest ?? fold
      if fold.position <= tail { return fold }
    } catch {
      logger.warning("a snapshot of \(State.name) of \(partition) is left aside: \(error)")
    }
  }
  // What is left to read is little either way, and the beginning serves old tokens too.
  if tail == bounds.start { newest = nil }
  return newest ?? Fold(partition, position: bounds.start)
}
