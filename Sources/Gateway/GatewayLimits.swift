/// Everything the gateway bounds. Each refusal names the limit it met.
package struct GatewayLimits: Sendable {
  /// Bytes of a published payload (413).
  package var bodyBytesMax = 1 << 20
  /// Bytes of a request's head: request line and headers (431).
  package var headerBytesMax = 16 << 10
  /// Header fields of one request (431).
  package var headerFieldsMax = 100
  /// Channels of one stream (400).
  package var channelsPerStreamMax = 64
  /// Seconds a message may live (400).
  package var ttlSecondsMax: Int64 = 10 * 366 * 86_400
  /// Connections at a time. One more is told to come back: 503, or for a stream a `retry:` and a clean end.
  package var connectionsMax = 20_000
  /// Connections over `connectionsMax` that are answered at all; beyond them they are closed at once.
  package var refusalsMax = 256
  /// Seconds from the first byte of a connection to the end of its first head (408).
  package var headerTimeoutSeconds: Double = 10
  /// Seconds that a keep-alive connection may say nothing between requests, or a later head may take to arrive (408).
  package var idleTimeoutSeconds: Double = 60
  /// Seconds from the head of a request to the end of its body (408).
  package var bodyTimeoutSeconds: Double = 60
  /// Seconds that a client may take nothing of its answer. Streams are left alone: a slow reader of them is a cursor.
  package var writeTimeoutSeconds: Double = 60
  /// Seconds that a read may wait for its `min=`; a request may ask for less (504).
  package var minWaitSeconds: Double = 5
  /// Seconds that a stream may wait for its partitions to be read before it is sent away, to come back or to go elsewhere.
  package var streamStartSecondsMax: Double = 10
  /// Bytes that may wait for a slow reader of a stream, or an entry (64 KiB and the message that ends it) where that is larger. Beyond
  /// it nothing is queued: the reader is a cursor.
  package var slowReaderBytesMax = 256 << 10
  /// Bytes of encoded frames that may wait for one event loop. Beyond it its streams read from the recent window.
  package var loopBacklogBytesMax = 16 << 20
  /// Bytes of recent batches that a partition keeps for resuming and for slow readers, of all its channels together.
  package var recentBytesMax = 16 << 20
  /// Bytes of encoded channel states that a partition keeps for readers to come. One that is being read lasts besides, until its
  /// readers have it or have read on nothing for a heartbeat.
  package var snapshotBytesMax = 64 << 20
  /// Bytes of batches that a follower reads at a time.
  package var readBytesMax = 1 << 20

  /// The defaults.
  package init() {}
}
