import EventStorage
import Events
import NIOCore

/// A reader of a stream: where its bytes go, what it reads, and how far it is. No queue, no task, no timer of its own.
///
/// Unchecked Sendable: it belongs to one event loop and is used on that alone; others only carry it there.
final class Subscriber: @unchecked Sendable {
  let output: any StreamOutput
  let shape: StreamShape
  /// The channels it reads, in the order of their partitions.
  var feeds: [Feed]
  /// How far it is in each partition it reads, in order.
  var cursors: [Cursor]
  var phase: Phase = .live
  /// The state that it is being given, encoded once for all who read it. Let go of when it has read on nothing for a heartbeat.
  var snapshot: ChannelSnapshot?
  /// It has read on since its last heartbeat.
  var hasReadOn = false
  /// The cursor that is served first when it reads from the recent window.
  var turn = 0
  /// What a stream of several channels got in the pass that is under way.
  var staging: [UInt8] = []
  /// Which heartbeat beats for it, and its place there.
  var beat = 0
  var beatSlot = 0

  struct Feed {
    var channel: ChannelName
    var partition: Int
    /// The index of its partition's cursor.
    var cursor: Int
    /// Its place among the readers of the channel.
    var slot = 0
  }

  struct Cursor {
    var partition: Int
    var offset: Offset
  }

  /// What the reader gets next.
  enum Phase {
    /// Nothing, until it is known what it lacks.
    case waiting(Waiting)
    /// Every frame as it comes.
    case live
    /// The state of its channels, one after another; `after` is the last message sent of the present one.
    case state(feed: Int, after: Offset?)
    /// What it lacks, from the recent window. `announces`: then it is told that it is live. Ids stand where
    /// resuming is safe, which is not between a state and `live`.
    case behind(announces: Bool, withIDs: Bool)
    /// Nothing more.
    case ended
  }

  /// What a reader waits with.
  struct Waiting {
    var lastEventID: String?
    var since: ContinuousClock.Instant
  }

  init(output: any StreamOutput, shape: StreamShape, feeds: [Feed], cursors: [Cursor]) {
    self.output = output
    self.shape = shape
    self.feeds = feeds
    self.cursors = cursors
  }

  var waiting: Waiting? {
    if case .waiting(let waiting) = phase { waiting } else { nil }
  }

  var isLive: Bool {
    if case .live = phase { true } else { false }
  }

  func reads(anyOf partitions: Set<Int>) -> Bool {
    cursors.contains { partitions.contains($0.partition) }
  }

  /// The position it has reached, as a token.
  func token(in log: LogIdentity) -> String {
    var position = Position(log: log, offsets: [:])
    for cursor in cursors {
      position[Partition(.messages, cursor.partition)] = cursor.offset
    }
    return position.token
  }
}
