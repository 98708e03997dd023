import NIOCore
import Synchronization

/// A stream on a connection that Hummingbird serves already: the loop puts frames in, the request's task takes
/// everything out at once and writes it. One task for the stream, none for an event.
final class BodyOutput: StreamOutput, Sendable {
  private let loop: StreamLoop
  private let state = Mutex(State())

  private struct State {
    var waiting = ByteBuffer()
    /// What the task is writing now.
    var taken = 0
    var isEnded = false
    var continuation: CheckedContinuation<Void, Never>?
  }

  init(loop: StreamLoop) {
    self.loop = loop
  }

  var pendingBytes: Int { state.withLock { $0.waiting.readableBytes + $0.taken } }

  var isOpen: Bool { state.withLock { !$0.isEnded } }

  func begin(_ request: StreamRequest, with frames: SharedFrames) { write(frames) }

  func write(_ frames: SharedFrames) {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard !state.isEnded else { return nil }
      // What waits alone is shared with everyone who gets it.
      if state.waiting.readableBytes == 0 {
        state.waiting = frames.frames
      } else {
        state.waiting.writeImmutableBuffer(frames.frames)
      }
      return state.continuation.take()
    }
    waiter?.resume()
  }

  func end(with frames: SharedFrames) {
    write(frames)
    close()
  }

  /// Nothing more comes; what waits is still written.
  func close() {
    let waiter = state.withLock { state in
      state.isEnded = true
      return state.continuation.take()
    }
    waiter?.resume()
  }

  /// Everything that waits, once there is something; nil at the end. What was taken before has been written.
  func next(for subscriber: Subscriber?) async -> ByteBuffer? {
    let isDrained = state.withLock { state in
      defer { state.taken = 0 }
      return state.taken > 0 && state.waiting.readableBytes == 0
    }
    if isDrained, let subscriber { loop.eventLoop.execute { [loop] in loop.pull(subscriber) } }
    while true {
      let (buffer, isEnded) = state.withLock { state -> (ByteBuffer?, Bool) in
        guard state.waiting.readableBytes > 0 else { return (nil, state.isEnded) }
        let buffer = state.waiting
        state.waiting = ByteBuffer()
        state.taken = buffer.readableBytes
        return (buffer, false)
      }
      if let buffer { return buffer }
      if isEnded { return nil }
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if state.waiting.readableBytes > 0 || state.isEnded { return true }
          state.continuation = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    }
  }
}
