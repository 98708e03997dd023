import EventStorage
import Gateway
import Logging
import Projections

/// Folds a partition to its end.
func startingState(
  _ partition: Partition, _ log: any EventLog, _ files: SnapshotFiles?, _ logger: Logger
) throws(LogError) -> Gateway.Start {
  var feed = ChannelsFeed()
  let end = try log.bounds(of: partition).end
  var position = try log.bounds(of: partition).start
  while position < end {
    position = try log.read(partition, from: position, bytesMax: 4 << 20, into: &feed)
  }
  return Gateway.Start(channels: feed.channels, position: position)
}

private struct ChannelsFeed: RecordSink {
  var channels = Channels()

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    channels.apply(bytes, rows, next: next)
  }
}
