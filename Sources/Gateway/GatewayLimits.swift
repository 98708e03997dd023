/// The limits of the gateway. Whoever passes one is told its name and its value.
package struct GatewayLimits: Sendable {
  /// The largest payload, in bytes.
  package var bodyBytesMax = 1 << 20
  /// A request's line and headers together, in bytes.
  package var headerBytesMax = 32 << 10
  /// Channels of one stream.
  package var channelsPerStreamMax = 64
  /// Connections at once; the next one is answered 503.
  package var connectionsMax = 20_000
  /// From the connection to the end of the first request's headers.
  package var headerTimeoutSeconds = 10
  /// Without a request on an open connection. Streams have heartbeats instead.
  package var idleTimeoutSeconds = 60
  /// The longest that `min=` waits.
  package var minWaitSeconds = 5
  /// The longest life of a message with `Signalbox-TTL`: ten years.
  package var ttlSecondsMax = 315_360_000
  /// Recent batches kept of a partition, for streams that resume: what a token may lie behind.
  package var recentBytesMax = 16 << 20
  /// What may wait for a slow reader. Beyond it a reader is a cursor and gets the rest when it has read that.
  package var slowReaderBytesMax = 256 << 10

  package init() {}
}
