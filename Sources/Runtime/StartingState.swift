import EventStorage
import Gateway
import Logging
import Projections

/// The newest snapshot of a partition that fits, and the log behind it. A snapshot that does not fit costs time, nothing else.
func startingState(
  _ partition: Partition, _ log: any EventLog, _ files: SnapshotFiles?, _ logger: Logger
) throws(LogError) -> GatewayServer.Start {
  var fold = Fold<Channels>(partition)
  let bounds = try log.bounds(of: partition)
  for bytes in files?.newestFirst(of: Channels.name, in: partition) ?? [] {
    do throws(SnapshotFailure) {
      fold = try Snapshot.decode(bytes, of: log.identity, partition, within: bounds)
      break
    } catch {
      logger.warning("a snapshot of \(partition) is left aside: \(error)")
    }
  }
  let start = fold.position
  try fold.catchUp(with: log)
  logger.info("\(partition) is at \(fold.position), \(start) of it from a snapshot")
  return GatewayServer.Start(channels: fold.state, position: fold.position)
}
