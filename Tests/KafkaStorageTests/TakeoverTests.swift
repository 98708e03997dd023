import EventStorage
import Testing

@testable import KafkaStorage

/// Moving another log into topics, while somebody else opens them.
@Suite struct TakeoverTests {
  private func opened(_ options: KafkaLog.Options) async -> LogIdentity? {
    try? await onThread {
      let log = try KafkaLog(options)
      defer { log.close() }
      return log.identity
    }
  }

  @Test func `of one who moves a log in and one who makes a new log at once, one gives way`()
    async throws
  {
    for _ in 0..<8 {
      let plain = try Shared.broker.options()
      var taking = plain
      taking.takeover = .begin(LogIdentity(7))
      let move = taking
      async let one = opened(plain)
      async let two = opened(move)
      let (served, moved) = await (one, two)
      #expect(served == nil || moved == nil, "both have a log: \(String(describing: served))")
      // Whoever has it keeps it: what was made can be opened again, what is being moved cannot.
      #expect(await opened(plain) == served)
    }
  }

  @Test func `a log that is being moved in is opened when that has come to its end`() async throws {
    let plain = try Shared.broker.options()
    var taking = plain
    taking.takeover = .begin(LogIdentity(7))
    let log = try KafkaLog(taking)
    log.close()
    #expect(await opened(plain) == nil)
    taking.takeover = .finish(LogIdentity(8))
    #expect(await opened(taking) == nil)
    taking.takeover = .finish(LogIdentity(7))
    let finished = try KafkaLog(taking)
    try finished.finishTakeover()
    finished.close()
    #expect(await opened(plain) == log.identity)
  }
}
