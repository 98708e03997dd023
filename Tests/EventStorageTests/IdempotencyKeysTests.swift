import EventStorage
import Testing

@Suite struct IdempotencyKeysTests {
  private func answer(_ number: Int) -> Appended {
    Appended(first: Offset(Int64(number)), end: Offset(Int64(number) + 1))
  }

  @Test func `the oldest key makes room for the newest`() {
    var keys = IdempotencyKeys(limit: 3)
    for newest in 0..<10 {
      keys.remember("\(newest)", answer(newest))
      for number in 0..<12 {
        let known = (max(0, newest - 2)...newest).contains(number)
        #expect(
          keys.answer(to: "\(number)")
            == (known
              ? Appended(first: answer(number).first, end: answer(number).end, isRepeat: true)
              : nil))
      }
    }
  }

  @Test func `a key that was forgotten may come again`() {
    var keys = IdempotencyKeys(limit: 1)
    keys.remember("a", answer(0))
    keys.remember("b", answer(1))
    keys.remember("a", answer(2))
    #expect(keys.answer(to: "a")?.first == Offset(2))
    #expect(keys.answer(to: "b") == nil)
  }

  @Test func `answering a key twice is a mistake`() async {
    await #expect(processExitsWith: .failure) {
      var keys = IdempotencyKeys(limit: 2)
      let answer = Appended(first: .zero, end: Offset(1))
      keys.remember("a", answer)
      keys.remember("a", answer)
    }
  }

  @Test func `a log remembers the newest hundred thousand keys (law 18)`() async throws {
    let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
    let partition = Partition(.messages, 0)
    let count = LogLimits.idempotencyKeysMax + 1
    for number in 0..<count {
      let record = NewRecord(key: [1], value: nil)
      log.append(
        AppendBatch([record], timestamp: 0, idempotencyKey: "\(number)"), to: partition
      ) { answer in if case .failure(let error) = answer { Issue.record(error) } }
    }
    func retry(_ number: Int) async throws -> Appended {
      try await log.append(
        AppendBatch(
          [NewRecord(key: [1], value: nil)], timestamp: 0, idempotencyKey: "\(number)"),
        to: partition)
    }
    #expect(try await retry(1) == Appended(first: Offset(1), end: Offset(2), isRepeat: true))
    #expect(try await retry(count - 1).isRepeat)
    #expect(try await !retry(0).isRepeat)
  }
}
