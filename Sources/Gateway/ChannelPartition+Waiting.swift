import EventStorage
import NIOCore
import Synchronization

extension ChannelPartition {
  /// Waits until everything before `offset` is folded.
  ///
  /// - Returns: false when that took longer than `seconds`.
  func reach(_ offset: Offset, within seconds: Double, on loop: any EventLoop) async -> Bool {
    let reached = loop.makePromise(of: Bool.self)
    let waiter = state.withLock { state -> UInt64? in
      guard state.position < offset else { return nil }
      state.nextWaiter += 1
      state.waiters[state.nextWaiter] = Waiter(offset: offset) { reached.succeed(true) }
      return state.nextWaiter
    }
    guard let waiter else {
      reached.succeed(true)
      return true
    }
    let timeout = loop.scheduleTask(in: .within(seconds)) { [self] in
      if state.withLock({ $0.waiters.removeValue(forKey: waiter) }) != nil {
        reached.succeed(false)
      }
    }
    defer { timeout.cancel() }
    return (try? await reached.futureResult.get()) ?? false
  }
}
