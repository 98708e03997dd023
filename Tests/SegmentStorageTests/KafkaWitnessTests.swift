import ChildProcesses
import EventStorage
import Foundation
import SegmentStorage
import Testing

/// A segment as other software reads it: kafka-python parses the file and checks its checksums.
///
/// Wants the PyPI packages kafka-python, lz4 and crc32c, in the interpreter that `SIGNALBOX_PYTHON` names, or `python3`.
@Suite struct KafkaWitnessTests {
  private static let script = """
    import sys
    from kafka.record import MemoryRecords
    data = open(sys.argv[1], "rb").read()
    records = MemoryRecords(data)
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc(), "checksum"
        control = getattr(batch, "is_control_batch", False)
        for r in batch:
            show = lambda b: "-" if b is None else bytes(b).hex()
            headers = ",".join(k + "=" + v.decode() for k, v in r.headers)
            print(int(control), r.offset, r.timestamp, show(r.key), show(r.value), headers)
    """

  private static let python = ProcessInfo.processInfo.environment["SIGNALBOX_PYTHON"] ?? "python3"

  private static let isInstalled =
    (try? Command(python, ["-c", "import kafka.record, lz4.frame, crc32c"]).status) == 0

  @Test(
    .enabled(if: isInstalled, "kafka-python, lz4 and crc32c are not installed for python3"),
    arguments: [Compression.none, .lz4(acceleration: 4)])
  func `kafka-python reads a segment as we do`(compression: Compression) async throws {
    let directory = try TemporaryDirectory()
    let log = try SegmentedLog(
      opening: directory.path, options: options { $0.compression = compression })
    let life = try await log.fence(writer: 5, in: messages)
    for index in 0..<20 {
      let records = (0...index * 3).map { number in
        record("key \(number)", number % 7 == 3 ? nil : "value \(number) of \(index)")
      }
      _ = try await log.append(
        AppendBatch(
          records, timestamp: 1_700_000_000_000 + Int64(index),
          idempotencyKey: index % 4 == 0 ? "request \(index)" : nil,
          writer: index % 2 == 0 ? life : nil), to: messages)
    }
    let expected = try log.all(messages)
    log.close()
    let reader = try Command(
      KafkaWitnessTests.python,
      ["-c", KafkaWitnessTests.script, directory.path + "/messages-0/00000000000000000000.log"])
    #expect(reader.status == 0, "\(reader.error)")
    let lines = reader.output.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 5) }
    let records = lines.filter { $0.first == "0" }
    #expect(lines.count == records.count + 1, "the fence is a control batch")
    try #require(records.count == expected.count)
    for (line, seen) in zip(records, expected) {
      #expect(line[1] == "\(seen.offset)")
      #expect(line[2] == "\(seen.timestamp)")
      #expect(line[3] == hex(seen.key))
      #expect(line[4] == (seen.value.map(hex) ?? "-"))
    }
    let headers = records.compactMap { $0.count > 5 ? String($0[5]) : nil }
    #expect(headers.count == 5)
    #expect(headers[1] == "idempotency-key=request 4,idempotency-count=13")
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
