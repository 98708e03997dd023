import EventStorage
import NIOCore

/// What subscribers share: a channel in a shape.
struct DeliveryTopic: Hashable, Sendable {
  var channel: [UInt8]
  var shape: FrameShape
}

/// Frames of one batch for everybody on a loop who follows a channel in a shape.
struct Delivery: Sendable {
  var topic: DeliveryTopic
  /// The index of the partition.
  var partition: Int
  /// The positions before and after the batch.
  var from: Offset
  var next: Offset
  /// Nil when the mailbox was full: subscribers look into the recent window instead.
  var frames: ByteBuffer?
}
