package import EventStorage
package import Events
package import NIOCore
package import Projections

/// The partitions and one loop of streams without a server around them: somebody else reads the log, moves time and carries bytes.
///
/// It is what the simulator drives in one thread, so that verdicts, resuming, frames and slow readers are those of the gateway.
/// Everything is called on the loop's thread.
package final class DrivenStreams {
  /// One stream that was joined.
  package struct Handle {
    fileprivate let subscriber: Subscriber
  }

  private let partitions: [ChannelPartition]
  private let loop: StreamLoop

  /// - Parameters:
  ///   - folds: where each partition of messages starts, in order.
  ///   - bounds: what the log holds of each.
  package init(
    log: LogIdentity, folds: [Fold<Channels>], bounds: [LogBounds],
    configuration: GatewayConfiguration, on eventLoop: any EventLoop
  ) {
    let loop = StreamLoop(index: 0, eventLoop: eventLoop, configuration: configuration)
    partitions = zip(folds, bounds).map { fold, bounds in
      ChannelPartition(
        fold.partition, log: log, channels: fold.state, position: fold.position,
        window: RecentWindow(
          start: fold.position, bytesMax: configuration.limits.recentBytesMax),
        bounds: bounds, loops: [loop], limits: configuration.limits)
    }
    loop.partitions = partitions
    self.loop = loop
    loop.start()
  }

  deinit { loop.letGo() }

  /// Where a partition is.
  package func position(of partition: Int) -> Offset { partitions[partition].status.position }

  /// The fold of a partition as it is now.
  package func fold(of partition: Int) -> Fold<Channels> {
    let partition = partitions[partition]
    return partition.fold ?? Fold(partition.partition)
  }

  /// When the next key of a partition runs out of time, in milliseconds since 1970.
  package func nextExpiry(of partition: Int) -> Int64? { partitions[partition].nextExpiry }

  /// The messages of a channel, and the position they reflect.
  package func messages(
    in channel: ChannelName, of partition: Int
  ) -> (messages: [ChannelMessage], position: Offset) {
    partitions[partition].messages(in: channel)
  }

  /// Folds the batch that follows the partition's position.
  package func apply(
    _ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset, to partition: Int
  ) {
    partitions[partition].apply(ReadBatch(bytes, rows, next: next))
  }

  /// What the log was seen to hold.
  package func observe(_ bounds: LogBounds, of partition: Int) {
    partitions[partition].observe(bounds)
  }

  /// Begins a stream of these channels.
  package func join(
    _ channels: [ChannelName], isEnvelope: Bool = false, lastEventID: String?,
    output: any DrivenOutput
  ) -> Handle? {
    let request = StreamRequest(
      channels: channels, isEnvelope: isEnvelope, lastEventID: lastEventID, origin: nil)
    return loop.join(request, output: OutputAdapter(output)).map(Handle.init(subscriber:))
  }

  /// Everything that a stream was given has left.
  package func pull(_ stream: Handle) { loop.pull(stream.subscriber) }

  /// The stream is gone.
  package func leave(_ stream: Handle) { loop.leave(stream.subscriber) }
}

extension DrivenStreams {
  /// Sets a connection up as the server does: the lean path for event streams. What it hands over is closed instead.
  package func accept(_ channel: any Channel, onHandOver: @escaping () -> Void) throws {
    let connection = channel.eventLoop.makePromise(of: ConnectionHandler.HTTPConnection.self)
    let handler = ConnectionHandler(loop: loop, isRefused: false, connection: connection) { _ in
      onHandOver()
      throw ChannelError.operationUnsupported
    }
    try channel.pipeline.syncOperations.addHandler(handler)
  }

  /// Sets a connection up as the server does once it is handed over: requests of bytes, and bytes of answers.
  package static func addHTTP(to channel: any Channel, limits: GatewayLimits) throws {
    try GatewayChannel.addHTTPHandlers(to: channel, limits: limits)
  }
}

/// Where the bytes of a driven stream go.
package protocol DrivenOutput: AnyObject {
  /// Bytes that were given and have not left yet.
  var pendingBytes: Int { get }
  /// False once the connection is gone.
  var isOpen: Bool { get }
  /// More of the stream.
  func write(_ frames: [UInt8])
}

/// Hands on the frames alone.
private final class OutputAdapter: StreamOutput {
  private let output: any DrivenOutput

  init(_ output: any DrivenOutput) { self.output = output }

  var pendingBytes: Int { output.pendingBytes }
  var isOpen: Bool { output.isOpen }
  func begin(_ request: StreamRequest, with frames: SharedFrames) { write(frames) }
  func write(_ frames: SharedFrames) { output.write(Array(frames.frames.readableBytesView)) }
  func end(with frames: SharedFrames) { write(frames) }
}
