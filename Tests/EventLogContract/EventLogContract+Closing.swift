import EventStorage

extension EventLogContract {
  static var closeChecks: [Check] {
    [
      Check(description: "a closed log refuses everything, and may be closed again") {
        try await $0.aClosedLogRefusesEverything()
      },
      Check(description: "closing answers every append once") {
        try await $0.closingAnswersEveryAppendOnce()
      },
    ]
  }

  package func aClosedLogRefusesEverything() async throws {
    try await withLog { log in
      let appended = try await log.append(Sample.batch("one"), to: Sample.partition)
      log.close()
      log.close()
      try await expectRefused("append", with: .closed) {
        try await log.append(Sample.batch("two"), to: Sample.partition)
      }
      try await expectRefused("fence", with: .closed) {
        try await log.fence(writer: 1, in: Sample.partition)
      }
      try await expectRefused("bounds", with: .closed) { try log.bounds(of: Sample.partition) }
      try await expectRefused("end", with: .closed) { try log.end() }
      try await expectRefused("read", with: .closed) {
        try log.readOnce(Sample.partition, from: appended.first)
      }
      try await expectRefused("tail", with: .closed) {
        try log.tailStart(of: Sample.partition, bytesMax: 1)
      }
    }
  }

  package func closingAnswersEveryAppendOnce() async throws {
    try await withLog { log in _ = try await closeUnderLoad(log) }
  }

  package func acknowledgedRecordsSurviveAClose() async throws {
    try await withLog { log in
      let acknowledged = try await closeUnderLoad(log)
      try await withReopened(log) { log in
        let found = try log.readBack(Sample.partition).map(\.record)
        try expectEqual(found.count, Set(found).count, "records without their doubles")
        try expect(
          Set(found).isSuperset(of: acknowledged),
          "of \(acknowledged.count) acknowledged records, \(found.count) are there")
      }
    }
  }

  package func recordsSurviveARestart() async throws {
    try await withLog { log in
      for index in 0..<10 {
        _ = try await log.append(Sample.batch("batch \(index)", 3), to: Sample.partition)
        _ = try await log.append(Sample.batch("batch \(index)", 2), to: Sample.other)
      }
      let identity = log.identity
      let layout = log.layout
      let end = try log.end()
      let before = try [Sample.partition, Sample.other].map { try log.readBack($0) }
      try await withReopened(log) { log in
        try expectEqual(log.identity, identity, "identity")
        try expectEqual(log.layout, layout, "layout")
        try expectEqual(try log.end(), end, "end")
        try expectEqual(
          try [Sample.partition, Sample.other].map { try log.readBack($0) }, before, "records")
        let next = try await log.append(Sample.batch("next"), to: Sample.partition)
        try expect(
          next.first >= end[Sample.partition] ?? .zero, "offset \(next.first) was used before")
      }
    }
  }

  package func timeDoesNotGoBackOverARestart() async throws {
    try await withLog { log in
      _ = try await log.append(Sample.batch("one", time: Sample.time + 900), to: Sample.partition)
      try await withReopened(log) { log in
        _ = try await log.append(Sample.batch("two"), to: Sample.partition)
        try expectEqual(
          try log.readBack(Sample.partition).map { $0.timestamp - Sample.time }, [900, 900],
          "times as stored")
      }
    }
  }

  /// Closes the log while appends come from a thread; returns the records that were acknowledged.
  private func closeUnderLoad(_ log: Log) async throws -> Set<NewRecord> {
    let answers = Answers()
    let begun = Monitor(0)
    let count = 400
    async let appending: Void = onThread {
      for index in 0..<count {
        log.append(
          Sample.batch("batch \(index)", 2), to: Sample.partition,
          completion: answers.completion(of: index))
        begun.change { $0 += 1 }
      }
    }
    try await onThread {
      _ = begun.wait(for: patience) { $0 >= count / 4 }
      log.close()
    }
    try await appending
    var acknowledged: Set<NewRecord> = []
    for (index, answer) in try await onThread({ try answers.all(count) }).enumerated() {
      switch answer {
      case .success: acknowledged.formUnion(Sample.records("batch \(index)", 2))
      case .failure(let error): try expectEqual(error, .closed, "append \(index)")
      }
    }
    return acknowledged
  }
}
