import EventStorage
import Foundation
import Glibc
import Testing

@testable import KafkaStorage

/// A broker that dies or sleeps. Each test has one of its own.
@Suite struct FaultTests {
  /// Appends from a thread until told to stop, and keeps the answers by key.
  private final class Load: Sendable {
    let answers = Monitor<[String: Result<Appended, LogError>]>([:])
    let begun = Monitor(0)
    private let isOver = Monitor(false)

    func run(_ log: KafkaLog, everyKeyed: Int) {
      var index = 0
      while !isOver.withLock({ $0 }) {
        let key = "load \(index)"
        let idempotencyKey = index % everyKeyed == 0 ? key : nil
        log.append(batch(key, idempotencyKey: idempotencyKey), to: messages) { answer in
          self.answers.change { $0[key] = answer }
        }
        index += 1
        begun.change { $0 = index }
        // A few hundred are under way at once, not all that memory holds.
        _ = answers.wait(for: .seconds(30)) { $0.count + 300 > index }
      }
    }

    func stop() { isOver.change { $0 = true } }
  }

  @Test func `what was acknowledged survives the death of the broker, once (law 13)`() async throws {
    let broker = try Broker()
    let log = try KafkaLog(broker.options())
    let load = Load()
    async let loading: Void = onThread { load.run(log, everyKeyed: 5) }
    #expect(try await onThread { load.answers.wait(for: .seconds(20)) { $0.count > 2_000 } })
    broker.stop(SIGKILL)
    let atDeath = load.answers.withLock { $0.count }
    try broker.start()
    #expect(
      try await onThread { load.answers.wait(for: .seconds(30)) { $0.count > atDeath + 1_000 } })
    load.stop()
    try await loading
    let begun = load.begun.withLock { $0 }
    #expect(try await onThread { load.answers.wait(for: .seconds(30)) { $0.count == begun } })
    log.close()
    let reopened = try KafkaLog(broker.options { $0.prefix = log.options.prefix })
    defer { reopened.close() }
    let seen = try reopened.all(messages)
    let byKey = Dictionary(grouping: seen, by: \.key)
    for (key, answer) in load.answers.withLock({ $0 }) {
      switch answer {
      case .success(let appended):
        #expect(byKey[key]?.map(\.offset) == [appended.first], "\(key)")
      case .failure(.unavailable): #expect(byKey[key] == nil, "\(key)")
      case .failure(.outcomeUnknown): #expect((byKey[key]?.count ?? 0) < 2, "\(key)")
      case .failure(let error): Issue.record("\(key): \(error)")
      }
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
    // Every kind of append: plain, keyed, of several records, fenced.
    let several = AppendBatch([record("s", "1"), record("s", "2")], timestamp: milliseconds())
    let batches = [
      batch("plain"), batch("keyed", idempotencyKey: "k"), several,
      batch("fenced", writer: writer),
    ]
    let clock = ContinuousClock()
    let began = clock.now
    var failures: [LogError] = []
    for batch in batches {
      do {
        _ = try await log.append(batch, to: messages)
        Issue.record("acknowledged by a broker that sleeps")
      } catch {
        failures.append(error)
      }
    }
    #expect(clock.now - began < .seconds(45))
    for failure in failures {
      switch failure {
      case .unavailable, .outcomeUnknown: break
      default: Issue.record("\(failure)")
      }
    }
    #expect(try log.bounds(of: messages) == before)
    #expect(try log.all(messages).map(\.key) == ["before"])

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
