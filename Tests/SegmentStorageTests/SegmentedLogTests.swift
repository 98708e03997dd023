import EventStorage
import SegmentStorage
import Testing

@Suite struct SegmentedLogTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func open(
    _ change: (inout SegmentedLog.Options) -> Void = { _ in }
  ) throws -> SegmentedLog {
    var options = options(change)
    options.identity = nil
    return try SegmentedLog(opening: directory.path, options: options)
  }

  @Test func `appends are read back in order, and after opening again`() async throws {
    var log = try open()
    let first = try await log.append(
      AppendBatch([record("a", "1"), record("b", nil), record("c", "")], timestamp: 10),
      to: messages)
    let second = try await log.append(
      AppendBatch([record("a", "2")], timestamp: 7), to: messages)
    #expect(first == Appended(first: .zero, end: Offset(3)))
    #expect(second == Appended(first: Offset(3), end: Offset(4)))
    let expected = [
      Seen(offset: 0, timestamp: 10, key: Array("a".utf8), value: Array("1".utf8)),
      Seen(offset: 1, timestamp: 10, key: Array("b".utf8), value: nil),
      Seen(offset: 2, timestamp: 10, key: Array("c".utf8), value: []),
      Seen(offset: 3, timestamp: 10, key: Array("a".utf8), value: Array("2".utf8)),
    ]
    #expect(try log.all(messages) == expected)
    #expect(try log.all(messages, from: Offset(2)) == Array(expected[2...]))
    let identity = log.identity
    log.close()
    log = try open()
    #expect(log.identity == identity)
    #expect(try log.all(messages) == expected)
    #expect(try log.bounds(of: messages).end == Offset(4))
    let third = try await log.append(AppendBatch([record("d", "4")], timestamp: 3), to: messages)
    #expect(third.first == Offset(4))
    #expect(try log.all(messages).last?.timestamp == 10)
  }

  @Test func `a partition rolls over many segments and is read across them`() async throws {
    let log = try open { $0.segmentBytes = 2000 }
    for index in 0..<200 {
      _ = try await log.append(
        AppendBatch([record("key \(index)", "value \(index)")], timestamp: Int64(index)),
        to: messages)
    }
    let seen = try log.all(messages)
    #expect(seen.map(\.offset) == Array(0..<200))
    #expect(seen.map(\.timestamp) == Array(0..<200))
    log.close()
    let again = try open { $0.segmentBytes = 2000 }
    #expect(try again.all(messages) == seen)
    for offset in 0..<200 {
      var sink = Collector()
      let next = try again.read(
        messages, from: Offset(Int64(offset)), bytesMax: 1, into: &sink)
      #expect(sink.records.first?.offset == Int64(offset))
      #expect(next > Offset(Int64(offset)))
    }
  }
}
