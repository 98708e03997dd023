import EventStorage
import Foundation
import Glibc
import Testing

@testable import KafkaStorage

/// A broker that dies or sleeps. Each test has one of its own.
@Suite struct FaultTests {
  @Test func `after the death of the broker appends go on where they were (law 13)`() async throws {
    let broker = try Broker()
    let log = try KafkaLog(broker.options())
    defer { log.close() }
    let writer = try await log.fence(writer: 1, in: messages)
    let several = AppendBatch([record("s", "1"), record("t", "2")], timestamp: milliseconds())
    _ = try await log.append(several, to: messages)
    let first = try await log.append(batch("a", idempotencyKey: "k"), to: messages)
    try await broker.save(log)
    broker.stop()
    async let plain = log.append(batch("plain"), to: messages)
    async let keyed = log.append(batch("a", idempotencyKey: "k"), to: messages)
    async let together = log.append(several, to: messages)
    async let fenced = log.append(batch("fenced", writer: writer), to: messages)
    try broker.start()
    #expect(try await plain.first > first.first)
    #expect(try await keyed == Appended(first: first.first, end: first.end, isRepeat: true))
    _ = try await (together, fenced)
    let keys = try log.all(messages).map(\.key)
    #expect(keys.sorted() == ["a", "fenced", "plain", "s", "s", "t", "t"])
  }

  @Test func `a broker that has lost records is found out, not followed (law 14)`() async throws {
    let broker = try Broker()
    let log = try KafkaLog(broker.options())
    defer { log.close() }
    _ = try await log.append(batch("saved"), to: messages)
    try await broker.save(log)
    let load = Load()
    async let loading: Void = onThread { load.run(log, everyKeyed: 5) }
    #expect(try await onThread { load.answers.wait(for: .seconds(20)) { $0.count > 2_000 } })
    broker.stop()
    try broker.start()
    let isStopped = {
      do { _ = try log.bounds(of: messages) } catch LogError.stopped { return true } catch {}
      return false
    }
    #expect(try await eventually { isStopped() })
    load.stop()
    try await loading
    let error = #expect(throws: LogError.self) { try log.bounds(of: messages) }
    guard case .stopped(let detail) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(detail.contains("messages/0 ends at"))
    await #expect(throws: LogError.stopped(detail: detail)) {
      try await log.append(batch("more"), to: messages)
    }
  }

  @Test func `while the broker sleeps, appends fail in time and reads go on; then all is well`()
    async throws
  {
    let broker = try Broker()
    let log = try KafkaLog(
      broker.options {
        $0.appendTimeout = .seconds(2)
        $0.requestTimeout = .seconds(1)
        $0.transactionTimeout = .seconds(4)
      })
    defer { log.close() }
    let writer = try await log.fence(writer: 1, in: messages)
    _ = try await log.append(batch("before", writer: writer), to: messages)
    let before = try log.bounds(of: messages)

    broker.signal(SIGSTOP)
    let slept = ContinuousClock.now
    // Every kind of append: plain, keyed, of several records, fenced.
    let several = AppendBatch([record("s", "1"), record("s", "2")], timestamp: milliseconds())
    let batches = [
      batch("plain"), batch("keyed", idempotencyKey: "k"), several,
      batch("fenced", writer: writer),
    ]
    let clock = ContinuousClock()
    var failures: [LogError] = []
    for batch in batches {
      let began = clock.now
      // The answer is timed where it is given: tests beside this one may keep it from going on for a while.
      let (result, answered) = await withCheckedContinuation { continuation in
        log.append(batch, to: messages) { continuation.resume(returning: ($0, clock.now)) }
      }
      switch result {
      case .success: Issue.record("acknowledged by a broker that sleeps")
      case .failure(let error): failures.append(error)
      }
      // One deadline for all that is done about it, and a moment for a busy machine.
      #expect(answered - began < .seconds(3), "\(batch.records[0].key)")
    }
    for failure in failures {
      switch failure {
      case .unavailable, .outcomeUnknown: break
      default: Issue.record("\(failure)")
      }
    }
    #expect(try log.bounds(of: messages) == before)
    #expect(try log.all(messages).map(\.key) == ["before"])
    // Nor does a horizon that is due make every look at the bounds wait for the broker.
    try log.tails.follow(messages).state.withLock { $0.horizon?.asked -= .seconds(120) }
    let looked = clock.now
    for _ in 0..<20 { #expect(try log.bounds(of: messages).end == before.end) }
    #expect(clock.now - looked < .seconds(4))

    // Longer than every time-out, that of a transaction included.
    #expect(try await eventually { clock.now - slept > .seconds(6) })
    broker.signal(SIGCONT)
    let after = try await append(batch("after"), to: log)
    #expect(after.first >= before.end)
    let keyed = try await append(batch("keyed", idempotencyKey: "k"), to: log)
    let again = try await append(batch("keyed", idempotencyKey: "k"), to: log)
    #expect(again.first == keyed.first && again.isRepeat)
    let next = try await log.fence(writer: 1, in: messages)
    _ = try await append(batch("fenced again", writer: next), to: log)
    // Definite refusals are definite, and nothing is there twice.
    let seen = try log.all(messages)
    for (batch, failure) in zip(batches, failures) {
      let count = seen.count { Array($0.key.utf8) == batch.records[0].key }
      if case .unavailable = failure, batch.idempotencyKey == nil {
        #expect(count == 0, "\(batch.records[0].key): \(failure)")
      }
      #expect(count <= batch.records.count)
    }
  }

  /// An append that is tried until the broker is itself again.
  private func append(_ batch: AppendBatch, to log: KafkaLog) async throws -> Appended {
    var last: (any Error)?
    for _ in 0..<10 {
      do { return try await log.append(batch, to: messages) } catch { last = error }
    }
    throw last ?? LogError.closed
  }
}
