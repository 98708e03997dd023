import EventStorage

extension EventLogContract {
  static var waitChecks: [Check] {
    [
      Check(description: "a waiting reader wakes for every append") {
        try await $0.aWaitingReaderWakesForEveryAppend()
      },
      Check(description: "a wait ends when its time is up") {
        try await $0.aWaitEndsWhenItsTimeIsUp()
      },
      Check(description: "a waiting reader wakes when the log closes") {
        try await $0.aWaitingReaderWakesWhenTheLogCloses()
      },
    ]
  }

  package func aWaitingReaderWakesForEveryAppend() async throws {
    try await withLog { log in
      let rounds = 50
      let start = try log.bounds(of: Sample.partition).end
      let seen = Monitor(0)
      async let longest = onThread {
        defer { seen.change { $0 = rounds } }
        var position = start
        var longest = Duration.zero
        for round in 0..<rounds {
          var found = false
          let waited = ContinuousClock().measure {
            found = log.waitForRecords(in: Sample.partition, after: position, for: patience)
          }
          try expect(found, "round \(round): a record came, but the wait ended without it")
          let again = log.waitForRecords(in: Sample.partition, after: position, for: .zero)
          try expect(again, "round \(round): there is something to read, but no wait says so")
          position = try log.bounds(of: Sample.partition).end
          longest = max(longest, waited)
          seen.change { $0 = round + 1 }
          if waited >= patience { break }
        }
        return longest
      }
      for round in 0..<rounds {
        // An append elsewhere must neither end the wait nor swallow the next one.
        _ = try await log.append(Sample.batch("noise \(round)"), to: Sample.other)
        _ = try await log.append(Sample.batch("round \(round)"), to: Sample.partition)
        _ = try await onThread { seen.wait(for: patience) { $0 > round } }
      }
      let waited = try await longest
      try expect(waited < patience, "nobody woke the reader: only the time that was up did")
    }
  }

  package func aWaitEndsWhenItsTimeIsUp() async throws {
    try await withLog { log in
      _ = try await log.append(Sample.batch("one"), to: Sample.partition)
      let end = try log.bounds(of: Sample.partition).end
      for milliseconds in [-1, 0, 1, 30] {
        let duration = Duration.milliseconds(milliseconds)
        let (found, elapsed) = try await onThread {
          var found = false
          let elapsed = ContinuousClock().measure {
            found = log.waitForRecords(in: Sample.partition, after: end, for: duration)
          }
          return (found, elapsed)
        }
        try expect(!found, "a wait of \(duration) at the end found something")
        try expect(elapsed >= duration, "a wait of \(duration) took \(elapsed) only")
        try expect(elapsed < patience, "a wait of \(duration) took \(elapsed)")
      }
    }
  }

  package func aWaitingReaderWakesWhenTheLogCloses() async throws {
    try await withLog { log in
      let end = try log.bounds(of: Sample.partition).end
      async let waits = onThread {
        var found = true
        let elapsed = ContinuousClock().measure {
          found = log.waitForRecords(in: Sample.partition, after: end, for: patience * 10)
        }
        return (found, elapsed)
      }
      try await onThread { log.close() }
      let (found, elapsed) = try await waits
      try expect(!found, "a closed log says that there is something to read")
      try expect(elapsed < patience, "closing left the reader waiting for \(elapsed)")
      try expect(
        !log.waitForRecords(in: Sample.partition, after: end, for: patience * 10),
        "a closed log says that there is something to read")
    }
  }
}
