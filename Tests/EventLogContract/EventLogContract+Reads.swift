import EventStorage

extension EventLogContract {
  static var readChecks: [Check] {
    [
      Check(description: "reading from every offset lends exactly what lies from there on") {
        try await $0.everyOffsetCanBeReadFrom()
      },
      Check(description: "a read moves on whatever its limit is, by whole batches") {
        try await $0.aReadMovesOnByWholeBatches()
      },
      Check(description: "a read stops soon after its limit") {
        try await $0.aReadStopsSoonAfterItsLimit()
      },
      Check(description: "behind the end nothing is read") {
        try await $0.behindTheEndNothingIsRead()
      },
      Check(description: "the tail starts earlier for more bytes, and can be read") {
        try await $0.theTailStartsEarlierForMoreBytes()
      },
    ]
  }

  /// Batches of several sizes with holes between them and at the end.
  private func fill(_ log: Log) async throws -> [[NewRecord]] {
    var batches: [[NewRecord]] = []
    for (index, count) in [1, 5, 2, 1, 3].enumerated() {
      let batch = Sample.batch("batch \(index)", count)
      _ = try await log.append(batch, to: Sample.partition)
      batches.append(batch.records)
      if index % 2 == 0 { _ = try await log.fence(writer: 9, in: Sample.partition) }
    }
    return batches
  }

  package func everyOffsetCanBeReadFrom() async throws {
    try await withLog { log in
      let batches = try await fill(log)
      let bounds = try log.bounds(of: Sample.partition)
      let all = try log.readBack(Sample.partition)
      try expectEqual(all.map(\.record), batches.flatMap { $0 }, "records around holes")
      for raw in bounds.start.rawValue...bounds.end.rawValue {
        let offset = Offset(raw)
        for bytesMax in [1, 1 << 20] {
          let found = try log.readBack(Sample.partition, from: offset, bytesMax: bytesMax)
          try expectEqual(
            found, all.filter { $0.offset >= offset },
            "records from offset \(raw), \(bytesMax) bytes at a time")
        }
      }
    }
  }

  package func aReadMovesOnByWholeBatches() async throws {
    try await withLog { log in
      let batches = try await fill(log)
      let bounds = try log.bounds(of: Sample.partition)
      for bytesMax in [0, 1, 50, .max] {
        var left = batches[...]
        var position = bounds.start
        while position != bounds.end {
          let (records, next) = try log.readOnce(
            Sample.partition, from: position, bytesMax: bytesMax)
          try expect(next > position, "a read of \(bytesMax) bytes stays at \(position)")
          var lent = records.map(\.record)[...]
          while let batch = left.first, !lent.isEmpty {
            try expect(
              lent.starts(with: batch), "a read of \(bytesMax) bytes lent a part of a batch")
            lent.removeFirst(batch.count)
            left.removeFirst()
          }
          try expect(lent.isEmpty, "a read of \(bytesMax) bytes lent more than was appended")
          position = next
        }
        try expect(left.isEmpty, "reads of \(bytesMax) bytes lent too little")
      }
    }
  }

  package func aReadStopsSoonAfterItsLimit() async throws {
    try await withLog { log in
      let size = 20_000
      for index in 0..<20 {
        _ = try await log.append(
          AppendBatch([noise(index, size)], timestamp: Sample.time), to: Sample.partition)
      }
      let start = try log.bounds(of: Sample.partition).start
      let (records, _) = try log.readOnce(Sample.partition, from: start, bytesMax: 3 * size)
      try expect(
        (2...6).contains(records.count),
        "of 20 batches of \(size) bytes, a read of \(3 * size) lent \(records.count)")
    }
  }

  package func behindTheEndNothingIsRead() async throws {
    try await withLog { log in
      _ = try await log.append(Sample.batch("one", 3), to: Sample.partition)
      let end = try log.bounds(of: Sample.partition).end
      let atEnd = try log.readOnce(Sample.partition, from: end)
      try expect(atEnd.records.isEmpty && atEnd.next == end, "reading at the end gave \(atEnd)")
      for distance in [Int64(1), 1_000_000, .max - end.rawValue] {
        let behind = Offset(end.rawValue + distance)
        try await expectRefused(
          "reading \(distance) behind the end", with: .beyondEnd(Sample.partition, end: end)
        ) { try log.readOnce(Sample.partition, from: behind) }
      }
    }
  }

  package func theTailStartsEarlierForMoreBytes() async throws {
    try await withLog { log in
      let size = 20_000
      for index in 0..<50 {
        _ = try await log.append(
          AppendBatch([noise(index, size)], timestamp: Sample.time), to: Sample.partition)
      }
      let bounds = try log.bounds(of: Sample.partition)
      let all = try log.readBack(Sample.partition)
      var previous = bounds.end
      for bytesMax in [0, 1, size, 5 * size, 25 * size, 100 * size, .max] {
        let start = try log.tailStart(of: Sample.partition, bytesMax: bytesMax)
        try expect(
          start <= previous && start >= bounds.start,
          "the tail of \(bytesMax) bytes starts at \(start), of fewer at \(previous)")
        try expectEqual(
          try log.readBack(Sample.partition, from: start), all.filter { $0.offset >= start },
          "the tail of \(bytesMax) bytes")
        previous = start
      }
      try expectEqual(previous, bounds.start, "the tail of everything")
      let start = try log.tailStart(of: Sample.partition, bytesMax: 25 * size)
      let count = all.filter { $0.offset >= start }.count
      try expect((15...40).contains(count), "half of 50 batches are \(count) of them")
    }
  }

  /// A record that does not compress.
  private func noise(_ seed: Int, _ size: Int) -> NewRecord {
    var state = UInt64(seed + 1) &* 0x9e37_79b9_7f4a_7c15
    let value = (0..<size).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state >> 24)
    }
    return NewRecord(key: Array("noise \(seed)".utf8), value: value)
  }
}
