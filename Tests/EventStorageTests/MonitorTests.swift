import EventStorage
import Testing

@Suite struct MonitorTests {
  @Test func `changes by many at once are all counted`() async {
    let monitor = Monitor(0)
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<8 {
        group.addTask { for _ in 0..<1_000 { monitor.change { $0 += 1 } } }
      }
    }
    #expect(monitor.withLock { $0 } == 8_000)
  }

  @Test(
    arguments: [.seconds(Int64.max), .seconds(Int64.min), .zero, .nanoseconds(999_999_999)]
      as [Duration])
  func `no wait is too long or too short to be reckoned`(_ duration: Duration) {
    #expect(Monitor(1).wait(for: duration) { $0 == 1 })
  }

  @Test(
    arguments: [.seconds(Int64.min), .zero, .nanoseconds(999_999), .microseconds(1_500)]
      as [Duration])
  func `a wait in vain lasts as long as it should`(_ duration: Duration) {
    var found = true
    let elapsed = ContinuousClock().measure {
      found = Monitor(1).wait(for: duration) { $0 == 2 }
    }
    #expect(!found)
    #expect(elapsed >= duration)
  }

  @Test func `an error goes through, and the lock is free again`() {
    let monitor = Monitor(1)
    #expect(throws: LogError.closed) {
      try monitor.change { value throws(LogError) in
        value = 2
        throw .closed
      }
    }
    #expect(monitor.withLock { $0 } == 2)
  }
}
