import EventStorage

extension EventLogContract {
  static var idempotencyChecks: [Check] {
    [
      Check(description: "a retried append adds nothing (law 18)") {
        try await $0.aRetriedAppendAddsNothing()
      },
      Check(description: "retries at the same time add one batch (law 18)") {
        try await $0.retriesAtTheSameTimeAddOneBatch()
      },
    ]
  }

  package func aRetriedAppendAddsNothing() async throws {
    try await withLog { log in
      let first = try await log.append(
        Sample.batch("first", 2, idempotencyKey: "a"), to: Sample.partition)
      let second = try await log.append(
        Sample.batch("second", 3, idempotencyKey: "b"), to: Sample.partition)
      let end = try log.bounds(of: Sample.partition).end
      for (key, answer) in [("a", first), ("b", second), ("a", first)] {
        let again = try await log.append(
          Sample.batch("again \(key)", idempotencyKey: key), to: Sample.partition)
        try expectEqual(again, repeated(answer), "answer to a retry of \(key)")
      }
      try expectEqual(try log.bounds(of: Sample.partition).end, end, "end after retries")
      let elsewhere = try await log.append(
        Sample.batch("elsewhere", idempotencyKey: "a"), to: Sample.other)
      try expect(!elsewhere.isRepeat, "a key counts in its own partition only")
    }
  }

  package func retriesAtTheSameTimeAddOneBatch() async throws {
    try await withLog { log in
      for round in 0..<10 {
        let answers = Answers()
        for index in 0..<32 {
          log.append(
            Sample.batch("round \(round)", 2, idempotencyKey: "round \(round)"),
            to: Sample.partition, completion: answers.completion(of: index))
        }
        let appended = try await onThread { try answers.all(32) }.map { try $0.get() }
        try expectEqual(appended.filter { !$0.isRepeat }.count, 1, "appends that were the first")
        try expectEqual(Set(appended.map(\.first)).count, 1, "positions that were answered")
        let found = try log.readBack(Sample.partition, from: appended[0].first)
        try expectEqual(
          found.map(\.record), Sample.records("round \(round)", 2), "round \(round)")
      }
    }
  }

  package func idempotencyKeysSurviveARestart() async throws {
    try await withLog { log in
      let first = try await log.append(
        Sample.batch("first", 2, idempotencyKey: "a"), to: Sample.partition)
      _ = try await log.append(Sample.batch("second"), to: Sample.partition)
      try await withReopened(log) { log in
        let end = try log.bounds(of: Sample.partition).end
        let again = try await log.append(
          Sample.batch("again", idempotencyKey: "a"), to: Sample.partition)
        try expectEqual(again, repeated(first), "answer to a retry after a restart")
        try expectEqual(try log.bounds(of: Sample.partition).end, end, "end after the retry")
      }
    }
  }

  private func repeated(_ answer: Appended) -> Appended {
    Appended(first: answer.first, end: answer.end, isRepeat: true)
  }
}
