import EventStorage

extension EventLogContract {
  static var appendChecks: [Check] {
    [
      Check(description: "a new log is empty") { try await $0.aNewLogIsEmpty() },
      Check(description: "appends are read back in order") {
        try await $0.appendsAreReadBackInOrder()
      },
      Check(description: "bytes come back as they were, and a tombstone is not an empty value") {
        try await $0.bytesComeBackAsTheyWere()
      },
      Check(description: "a batch is visible when it is answered") {
        try await $0.aBatchIsVisibleWhenItIsAnswered()
      },
      Check(description: "offsets rise, and the bounds follow") {
        try await $0.offsetsRiseAndTheBoundsFollow()
      },
      Check(description: "time never goes back in a partition") {
        try await $0.timeNeverGoesBack()
      },
      Check(description: "partitions are independent") { try await $0.partitionsAreIndependent() },
      Check(description: "a partition that is not there is refused") {
        try await $0.aPartitionThatIsNotThereIsRefused()
      },
    ]
  }

  package func aNewLogIsEmpty() async throws {
    try await withLog { log in
      for partition in log.layout.all {
        let bounds = try log.bounds(of: partition)
        try expectEqual(bounds.end, bounds.start, "end of the empty \(partition)")
        let (records, next) = try log.readOnce(partition, from: bounds.end)
        try expect(records.isEmpty, "\(partition) is new, but lent \(records)")
        try expectEqual(next, bounds.end, "position after reading the empty \(partition)")
        try expectEqual(
          try log.tailStart(of: partition, bytesMax: 1_000), bounds.start,
          "tail of the empty \(partition)")
      }
    }
  }

  package func appendsAreReadBackInOrder() async throws {
    try await withLog { log in
      var expected: [NewRecord] = []
      for (index, count) in [1, 3, 1, 100, 2].enumerated() {
        let batch = Sample.batch("batch \(index)", count)
        expected += batch.records
        _ = try await log.append(batch, to: Sample.partition)
      }
      let found = try log.readBack(Sample.partition)
      try expectEqual(found.map(\.record), expected, "records in the order of their appends")
    }
  }

  package func bytesComeBackAsTheyWere() async throws {
    try await withLog { log in
      let everyByte = (0...255).map { UInt8($0) }
      let records = [
        NewRecord(key: Array("tombstone".utf8), value: nil),
        NewRecord(key: Array("empty".utf8), value: []),
        NewRecord(key: everyByte, value: everyByte.reversed()),
        NewRecord(key: [0], value: [UInt8](repeating: 0, count: 100_000)),
        NewRecord(key: Array("last".utf8), value: nil),
      ]
      _ = try await log.append(
        AppendBatch(records, timestamp: Sample.time + 7), to: Sample.partition)
      let found = try log.readBack(Sample.partition)
      try expectEqual(found.map(\.record), records, "records")
      try expectEqual(
        found.map(\.timestamp), records.map { _ in Sample.time + 7 }, "their times")
    }
  }

  package func aBatchIsVisibleWhenItIsAnswered() async throws {
    try await withLog { log in
      for index in 0..<20 {
        let batch = Sample.batch("batch \(index)", 1 + index % 3)
        let appended = try await log.append(batch, to: Sample.partition)
        let end = try log.bounds(of: Sample.partition).end
        try expect(
          end >= appended.end, "batch \(index) ends at \(appended.end), but the log at \(end)")
        let found = try log.readBack(Sample.partition, from: appended.first)
        try expectEqual(found.map(\.record), batch.records, "batch \(index)")
        try expectEqual(found.first?.offset, appended.first, "first offset of batch \(index)")
        try expect(!appended.isRepeat, "batch \(index) was called a repeat")
      }
    }
  }

  package func offsetsRiseAndTheBoundsFollow() async throws {
    try await withLog { log in
      let start = try log.bounds(of: Sample.partition).start
      var position = start
      for index in 0..<5 {
        let appended = try await log.append(Sample.batch("batch \(index)", 4), to: Sample.partition)
        try expect(
          appended.first >= position, "\(appended.first) was given out after \(position)")
        try expect(
          appended.end.rawValue >= appended.first.rawValue + 4,
          "four records between \(appended.first) and \(appended.end)")
        let bounds = try log.bounds(of: Sample.partition)
        try expectEqual(bounds.end, appended.end, "end after batch \(index)")
        try expectEqual(bounds.start, start, "start after batch \(index)")
        position = appended.end
      }
      try expectEqual(try log.end()[Sample.partition], position, "end among all ends")
      try expectEqual(try log.end().log, log.identity, "log of the position of the end")
    }
  }

  package func timeNeverGoesBack() async throws {
    try await withLog { log in
      let time = Sample.time
      for (index, given) in [time, time - 500, time + 1_000, time + 999].enumerated() {
        _ = try await log.append(Sample.batch("\(index)", 2, time: given), to: Sample.partition)
      }
      _ = try await log.append(Sample.batch("other", time: time - 500), to: Sample.other)
      try expectEqual(
        try log.readBack(Sample.partition).map { $0.timestamp - time },
        [0, 0, 0, 0, 1_000, 1_000, 1_000, 1_000], "times as stored")
      try expectEqual(
        try log.readBack(Sample.other).map { $0.timestamp - time }, [-500],
        "time in a partition of its own")
    }
  }

  package func partitionsAreIndependent() async throws {
    try await withLog { log in
      let all = log.layout.all
      for (index, partition) in all.enumerated() {
        for round in 0...(index % 3) {
          _ = try await log.append(Sample.batch("\(partition) \(round)", 2), to: partition)
        }
      }
      for (index, partition) in all.enumerated() {
        let expected = (0...(index % 3)).flatMap { Sample.records("\(partition) \($0)", 2) }
        let found = try log.readBack(partition).map(\.record)
        try expectEqual(found, expected, "records of \(partition)")
      }
    }
  }

  package func aPartitionThatIsNotThereIsRefused() async throws {
    try await withLog { log in
      for missing in [Partition(.messages, log.layout.partitions), Partition(.topology, 1)] {
        let error = LogError.noSuchPartition(missing)
        try await expectRefused("append", with: error) {
          try await log.append(Sample.batch("lost"), to: missing)
        }
        try await expectRefused("fence", with: error) {
          try await log.fence(writer: 1, in: missing)
        }
        try await expectRefused("bounds", with: error) { try log.bounds(of: missing) }
        try await expectRefused("read", with: error) { try log.readOnce(missing, from: .zero) }
        try await expectRefused("tail", with: error) {
          try log.tailStart(of: missing, bytesMax: 1)
        }
        try expect(
          !log.waitForRecords(in: missing, after: .zero, for: .zero), "\(missing) has records")
      }
    }
  }
}
