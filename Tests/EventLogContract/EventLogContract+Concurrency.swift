import EventStorage

extension EventLogContract {
  static var concurrencyChecks: [Check] {
    [
      Check(description: "many writers and readers lose, double and tear nothing") {
        try await $0.manyWritersAndReadersAgree()
      },
      Check(description: "a batch becomes visible whole") {
        try await $0.aBatchBecomesVisibleWhole()
      },
    ]
  }

  package func manyWritersAndReadersAgree() async throws {
    let writers = 8
    let batches = 30
    let partitions = [Sample.partition, Sample.other]
    try await withLog { log in
      let total = writers * batches * 3
      async let followers = partitions.concurrentMap { partition in
        try await [0, 1 << 20].concurrentMap { bytesMax in
          try await onThread {
            try log.follow(partition, count: total, bytesMax: bytesMax)
          }
        }
      }
      _ = try await Array(0..<writers).concurrentMap { writer in
        for batch in 0..<batches {
          for partition in partitions {
            _ = try await log.append(
              Sample.batch("\(partition) \(writer) \(batch)", 3), to: partition)
          }
        }
      }
      for (partition, seen) in zip(partitions, try await followers) {
        try expect(seen[0] == seen[1], "two readers of \(partition) read different records")
        try expectEqual(seen[0], try log.readBack(partition), "records of \(partition)")
        for writer in 0..<writers {
          let prefix = Array("\(partition) \(writer) ".utf8)
          let mine = seen[0].map(\.record).filter { $0.key.starts(with: prefix) }
          let expected = (0..<batches).flatMap {
            Sample.records("\(partition) \(writer) \($0)", 3)
          }
          try expectEqual(mine, expected, "records of writer \(writer) in \(partition)")
        }
      }
    }
  }

  package func aBatchBecomesVisibleWhole() async throws {
    let batches = 100
    let size = 7
    try await withLog { log in
      async let reads = onThread {
        var position = try log.bounds(of: Sample.partition).start
        var counts: [Int] = []
        while counts.reduce(0, +) < batches * size {
          try expect(
            log.waitForRecords(in: Sample.partition, after: position, for: patience),
            "no more records after \(position)")
          let end = try log.bounds(of: Sample.partition).end
          while position < end {
            let (records, next) = try log.readOnce(Sample.partition, from: position)
            counts.append(records.count)
            position = next
          }
        }
        return counts
      }
      _ = try await [0, 1].concurrentMap { half in
        for batch in 0..<batches / 2 {
          _ = try await log.append(Sample.batch("\(half) \(batch)", size), to: Sample.partition)
        }
      }
      for count in try await reads {
        try expect(count % size == 0, "\(count) records were visible of batches of \(size)")
      }
    }
  }
}

extension EventLog {
  /// Reads from the start until so many records have come, waiting for them.
  fileprivate func follow(
    _ partition: Partition, count: Int, bytesMax: Int
  ) throws -> [ReadRecord] {
    var position = try bounds(of: partition).start
    var records: [ReadRecord] = []
    while records.count < count {
      try expect(
        waitForRecords(in: partition, after: position, for: patience),
        "\(partition): \(records.count) of \(count) records came")
      let (more, next) = try readOnce(partition, from: position, bytesMax: bytesMax)
      records += more
      position = next
    }
    return records
  }
}

extension Array where Element: Sendable {
  /// Every element at the same time; the results in the order of the elements.
  fileprivate func concurrentMap<Result: Sendable>(
    _ body: @escaping @Sendable (Element) async throws -> Result
  ) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
      for (index, element) in enumerated() {
        group.addTask { (index, try await body(element)) }
      }
      var results: [(Int, Result)] = []
      for try await result in group { results.append(result) }
      return results.sorted { $0.0 < $1.0 }.map(\.1)
    }
  }
}
