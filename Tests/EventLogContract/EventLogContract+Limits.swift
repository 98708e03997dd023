import EventStorage

extension EventLogContract {
  static var limitChecks: [Check] {
    [
      Check(description: "a batch over a limit is refused whole") {
        try await $0.aBatchOverALimitIsRefusedWhole()
      },
      Check(description: "a batch at the limits is kept") {
        try await $0.aBatchAtTheLimitsIsKept()
      },
    ]
  }

  package func aBatchOverALimitIsRefusedWhole() async throws {
    let recordBytes = LogLimits.recordBytesMax
    let large = NewRecord(key: [1], value: [UInt8](repeating: 7, count: recordBytes))
    let full = (0..<5).map { index in
      NewRecord(key: [UInt8(index)], value: [UInt8](repeating: 7, count: recordBytes - 1))
    }
    let longKey = String(repeating: "é", count: LogLimits.idempotencyKeyBytesMax / 2) + "xx"
    let cases: [(String, AppendBatch, size: Int, limit: Int)] = [
      ("an empty batch", batch([]), 0, LogLimits.batchRecordsMax),
      ("a large record", batch([large]), recordBytes + 1, recordBytes),
      (
        "a large record among others", batch(Sample.records("a", 2) + [large]), recordBytes + 1,
        recordBytes
      ),
      (
        "too many records", Sample.batch("many", LogLimits.batchRecordsMax + 1),
        LogLimits.batchRecordsMax + 1, LogLimits.batchRecordsMax
      ),
      ("too many bytes", batch(full), 5 * recordBytes, LogLimits.batchBytesMax),
      (
        "a long idempotency key", Sample.batch("key", idempotencyKey: longKey),
        LogLimits.idempotencyKeyBytesMax + 1, LogLimits.idempotencyKeyBytesMax
      ),
    ]
    try await withLog { log in
      for (name, batch, size, limit) in cases {
        let before = try log.bounds(of: Sample.partition)
        try await expectRefused(
          name, "as too large, \(size) of \(limit)",
          { if case .tooLarge(_, size, limit) = $0 { true } else { false } }
        ) { try await log.append(batch, to: Sample.partition) }
        try expectEqual(try log.bounds(of: Sample.partition), before, "bounds after \(name)")
      }
      _ = try await log.append(Sample.batch("small"), to: Sample.partition)
      try expectEqual(
        try log.readBack(Sample.partition).map(\.record), Sample.records("small", 1),
        "records after refused batches")
    }
  }

  package func aBatchAtTheLimitsIsKept() async throws {
    let full = (0..<LogLimits.batchBytesMax / LogLimits.recordBytesMax).map { index in
      NewRecord(
        key: [UInt8(index)],
        value: [UInt8](repeating: UInt8(index), count: LogLimits.recordBytesMax - 1))
    }
    let many = Sample.batch(
      "many", LogLimits.batchRecordsMax,
      idempotencyKey: String(repeating: "k", count: LogLimits.idempotencyKeyBytesMax))
    try await withLog { log in
      _ = try await log.append(batch(full), to: Sample.partition)
      _ = try await log.append(many, to: Sample.partition)
      let found = try log.readBack(Sample.partition)
      try expect(
        found.map(\.record) == full + many.records, "the largest batches came back changed")
    }
  }

  private func batch(_ records: [NewRecord]) -> AppendBatch {
    AppendBatch(records, timestamp: Sample.time)
  }
}
