import EventStorage

extension EventLogContract {
  static var fencingChecks: [Check] {
    [
      Check(description: "an older life of a writer is kept out (law 16)") {
        try await $0.anOlderWriterIsKeptOut()
      },
      Check(description: "nothing of an older writer comes after the fence (law 16)") {
        try await $0.nothingOfAnOlderWriterComesAfterTheFence()
      },
    ]
  }

  package func anOlderWriterIsKeptOut() async throws {
    try await withLog { log in
      let old = try await log.fence(writer: 1, in: Sample.partition)
      let other = try await log.fence(writer: 2, in: Sample.partition)
      let elsewhere = try await log.fence(writer: 1, in: Sample.other)
      _ = try await log.append(
        Sample.batch("old", idempotencyKey: "old", writer: old), to: Sample.partition)
      let new = try await log.fence(writer: 1, in: Sample.partition)
      try expectEqual(new.id, old.id, "writer")
      try expect(new.epoch > old.epoch, "epoch \(new.epoch) came after \(old.epoch)")

      let before = try log.bounds(of: Sample.partition)
      for key in [nil, "old", "new"] {
        try await expectRefused(
          "an append of the older writer", with: .fenced(writer: old, current: new.epoch)
        ) {
          try await log.append(
            Sample.batch("too late", idempotencyKey: key, writer: old), to: Sample.partition)
        }
      }
      try expectEqual(try log.bounds(of: Sample.partition), before, "bounds after refusals")

      _ = try await log.append(Sample.batch("new", writer: new), to: Sample.partition)
      _ = try await log.append(Sample.batch("other", writer: other), to: Sample.partition)
      _ = try await log.append(Sample.batch("nobody"), to: Sample.partition)
      _ = try await log.append(Sample.batch("elsewhere", writer: elsewhere), to: Sample.other)
      try expectEqual(
        try log.readBack(Sample.partition).map(\.record),
        ["old", "new", "other", "nobody"].flatMap { Sample.records($0, 1) },
        "records of writers that were let in")
    }
  }

  package func nothingOfAnOlderWriterComesAfterTheFence() async throws {
    try await withLog { log in
      let old = try await log.fence(writer: 1, in: Sample.partition)
      let answers = Answers()
      let count = 100
      for index in 0..<count {
        log.append(
          Sample.batch("old \(index)", 2, writer: old), to: Sample.partition,
          completion: answers.completion(of: index))
      }
      let new = try await log.fence(writer: 1, in: Sample.partition)
      let fence = try log.bounds(of: Sample.partition).end
      for index in count..<2 * count {
        log.append(
          Sample.batch("old \(index)", 2, writer: old), to: Sample.partition,
          completion: answers.completion(of: index))
      }
      _ = try await log.append(Sample.batch("new", writer: new), to: Sample.partition)

      var accepted: [NewRecord] = []
      for (index, answer) in try await onThread({ try answers.all(2 * count) }).enumerated() {
        switch answer {
        case .success(let appended):
          try expect(appended.end <= fence, "append \(index) of the older writer came after it")
          accepted += Sample.records("old \(index)", 2)
        case .failure(let error):
          try expectEqual(error, .fenced(writer: old, current: new.epoch), "append \(index)")
        }
      }
      let found = try log.readBack(Sample.partition).map(\.record)
      try expectEqual(
        Set(found), Set(accepted + Sample.records("new", 1)), "records that were acknowledged")
      try expectEqual(found.count, Set(found).count, "records without their doubles")
    }
  }

  package func fencingSurvivesARestart() async throws {
    try await withLog { log in
      let old = try await log.fence(writer: 1, in: Sample.partition)
      let new = try await log.fence(writer: 1, in: Sample.partition)
      _ = try await log.append(Sample.batch("new", writer: new), to: Sample.partition)
      try await withReopened(log) { log in
        try await expectRefused(
          "the older writer after a restart", with: .fenced(writer: old, current: new.epoch)
        ) { try await log.append(Sample.batch("too late", writer: old), to: Sample.partition) }
        _ = try await log.append(Sample.batch("still", writer: new), to: Sample.partition)
        let newest = try await log.fence(writer: 1, in: Sample.partition)
        try expect(
          newest.epoch > new.epoch, "epoch \(newest.epoch) came after \(new.epoch)")
      }
    }
  }
}
