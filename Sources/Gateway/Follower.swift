import EventStorage
import Foundation
import Synchronization

/// Reads one partition of the log, for ever, on a thread of its own, and feeds what it reads to the live state.
package final class Follower: Sendable {
  /// Bytes of batches that are read at a time.
  static let readBytesMax = 1 << 20
  /// How long a wait for records lasts before it looks whether it is to stop.
  static let waitLongest = Duration.seconds(1)

  private struct State {
    var isStopping = false
    var isRunning = false
    var failure: LogError?
    var whenEnded: CheckedContinuation<Void, Never>?
  }

  private let log: any EventLog
  private let live: LivePartition
  private let state = Mutex(State())

  init(_ log: any EventLog, _ live: LivePartition) {
    self.log = log
    self.live = live
  }

  /// Why it ended by itself, if it did.
  var failure: LogError? { state.withLock(\.failure) }
  var partition: Partition { live.partition }

  /// Fills the recent window from the end of the log up to where the fold is, then follows until `stop`.
  package func run() async {
    await withCheckedContinuation { continuation in
      let starts = state.withLock { state in
        guard !state.isRunning, !state.isStopping else { return false }
        state.isRunning = true
        state.whenEnded = continuation
        return true
      }
      guard starts else { return continuation.resume() }
      let thread = Thread { self.follow() }
      thread.name = "follow \(live.partition)"
      thread.start()
    }
  }

  /// Ends `run` within `waitLongest`.
  package func stop() { state.withLock { $0.isStopping = true } }

  private func follow() {
    do throws(LogError) {
      var feed = Feed(live: live)
      var position = live.position
      while !state.withLock(\.isStopping) {
        position = try log.read(
          live.partition, from: position, bytesMax: Follower.readBytesMax, into: &feed)
        _ = log.waitForRecords(in: live.partition, after: position, for: Follower.waitLongest)
      }
    } catch {
      state.withLock { if !$0.isStopping { $0.failure = error } }
    }
    state.withLock { state in
      defer { state.whenEnded = nil }
      return state.whenEnded
    }?.resume()
  }

  private struct Feed: RecordSink {
    let live: LivePartition

    mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
      live.apply(bytes, rows, next: next)
    }
  }
}

/// Puts the end of a partition into the recent window, up to where the fold is.
struct WindowFiller: RecordSink {
  let live: LivePartition
  let end: Offset

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    guard next <= end else { return }
    live.remember(bytes, rows, next: next)
  }
}
