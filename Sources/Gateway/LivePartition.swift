package import EventStorage
import Events
import NIOCore
package import Projections
import Synchronization

/// One partition as this instance knows it: the fold, the recent batches, and who wants to hear of what.
///
/// One follower feeds it. Whoever joins does so under the same lock, so a stream gets the state at a position and
/// every change from that position on, with nothing between.
package final class LivePartition: Sendable {
  struct State {
    var channels: Channels
    var position: Offset
    var window: RecentWindow
    var interest: [[UInt8]: Interest] = [:]
    var waiters: [UInt64: Waiter] = [:]
    var waiterCount: UInt64 = 0
    var snapshots: [SnapshotKey: EncodedSnapshot] = [:]
  }

  /// How many subscribers of each loop and shape a channel has.
  struct Interest {
    var counts: [Int]
    var isEmpty: Bool { counts.allSatisfy { $0 == 0 } }
  }

  struct SnapshotKey: Hashable {
    var channel: [UInt8]
    var shape: FrameShape
  }

  struct EncodedSnapshot {
    var position: Offset
    var bytes: [UInt8]
  }

  struct Waiter {
    var offset: Offset
    var promise: EventLoopPromise<Offset>
  }

  /// Encoded snapshots kept for subscribers that join at the same time.
  static let snapshotsMax = 64

  package let partition: Partition
  let identity: LogIdentity
  let state: Mutex<State>
  private let loops: [StreamLoop]

  init(
    _ partition: Partition, of identity: LogIdentity, channels: Channels, position: Offset,
    windowStart: Offset, limits: GatewayLimits, loops: [StreamLoop]
  ) {
    self.partition = partition
    self.identity = identity
    self.loops = loops
    var channels = channels
    channels.collectsExpired = true
    state = Mutex(
      State(
        channels: channels, position: position,
        window: RecentWindow(start: windowStart, bytesMax: limits.recentBytesMax)))
  }

  /// How far the fold has come.
  package var position: Offset { state.withLock(\.position) }

  /// The fold as it is now, to be stored: its state and its position, which belong together.
  package var fold: Fold<Channels> {
    state.withLock { Fold(partition, state: $0.channels, position: $0.position) }
  }

  /// When the next message expires, in milliseconds since 1970.
  package var nextExpiry: Int64? { state.withLock { $0.channels.nextExpiry } }

  /// The token of a position in this partition alone.
  func token(_ offset: Offset) -> String {
    Position(log: identity, offsets: [partition: offset]).token
  }

  /// Puts batches from before the fold's position into the window, so that old tokens resume after a restart.
  func remember(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    state.withLock { $0.window.append(bytes, rows, next: next) }
  }

  /// Folds a batch, and sends what came of it to whoever follows its channels.
  func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    var deliveries: [[Delivery]] = []
    var due: [EventLoopPromise<Offset>] = []
    state.withLock { state in
      let from = state.position
      state.channels.apply(bytes, rows, next: next)
      state.window.append(bytes, rows, next: next)
      state.position = next
      let expired = state.channels.takeExpired()
      if !state.interest.isEmpty {
        deliveries = encode(bytes, rows, expired, from: from, next: next, state)
      }
      if !state.waiters.isEmpty {
        for (number, waiter) in state.waiters where waiter.offset <= next {
          due.append(waiter.promise)
          state.waiters[number] = nil
        }
      }
    }
    for (loop, mail) in zip(loops, deliveries) where !mail.isEmpty { loop.post(mail) }
    for promise in due { promise.succeed(next) }
  }

  /// Completes when the fold has reached the offset, or at the deadline with how far it got.
  func reached(
    _ offset: Offset, by deadline: NIODeadline, on eventLoop: any EventLoop
  ) -> EventLoopFuture<Offset> {
    let promise = eventLoop.makePromise(of: Offset.self)
    let number: UInt64? = state.withLock { state in
      if state.position >= offset {
        promise.succeed(state.position)
        return nil
      }
      state.waiterCount += 1
      state.waiters[state.waiterCount] = Waiter(offset: offset, promise: promise)
      return state.waiterCount
    }
    guard let number else { return promise.futureResult }
    let timeout = eventLoop.scheduleTask(deadline: deadline) {
      let late = self.state.withLock { state in
        state.waiters.removeValue(forKey: number).map { ($0.promise, state.position) }
      }
      if let (promise, position) = late { promise.succeed(position) }
    }
    return promise.futureResult.always { _ in timeout.cancel() }
  }

  /// The frames that a batch means for each loop.
  private func encode(
    _ bytes: RawSpan, _ rows: Span<RecordRow>, _ expired: [ExpiredKey], from: Offset,
    next: Offset, _ state: borrowing State
  ) -> [[Delivery]] {
    var frames: [DeliveryTopic: [UInt8]] = [:]
    var order: [DeliveryTopic] = []
    func add(_ channel: [UInt8], _ encode: (FrameShape, inout [UInt8]) -> Void) {
      guard let interest = state.interest[channel] else { return }
      for shape in FrameShape.allCases where interest.wants(shape) {
        let topic = DeliveryTopic(channel: channel, shape: shape)
        if frames[topic] == nil { order.append(topic) }
        encode(shape, &frames[topic, default: []])
      }
    }
    for index in rows.indices {
      let row = rows[index]
      guard let change = RecordChange(row, of: bytes), state.interest[change.channel] != nil
      else { continue }
      let id = token(index + 1 < rows.count ? rows[index + 1].offset : next)
      add(change.channel) { change.append($0, id: id, to: &$1) }
    }
    for key in expired {
      let channel = Array(key.channel.text.utf8)
      add(channel) {
        StreamFrame.append(
          deleted: Array(key.key.text.utf8), in: channel, $0, id: token(next), to: &$1)
      }
    }
    var deliveries = [[Delivery]](repeating: [], count: loops.count)
    for topic in order {
      let buffer = ByteBuffer(bytes: frames[topic] ?? [])
      for loop in loops.indices
      where state.interest[topic.channel]?.count(topic.shape, loop) ?? 0 > 0 {
        deliveries[loop].append(
          Delivery(topic: topic, partition: partition.index, from: from, next: next, frames: buffer)
        )
      }
    }
    return deliveries
  }
}

extension LivePartition.Interest {
  init(loops: Int) { counts = Array(repeating: 0, count: loops * FrameShape.allCases.count) }

  func count(_ shape: FrameShape, _ loop: Int) -> Int {
    counts[loop * FrameShape.allCases.count + shape.rawValue]
  }

  func wants(_ shape: FrameShape) -> Bool {
    stride(from: shape.rawValue, to: counts.count, by: FrameShape.allCases.count)
      .contains { counts[$0] > 0 }
  }

  mutating func change(_ shape: FrameShape, _ loop: Int, by difference: Int) {
    counts[loop * FrameShape.allCases.count + shape.rawValue] += difference
  }
}
