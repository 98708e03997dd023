import EventStorage
import Foundation

@testable import KafkaStorage

let messages = Partition(.messages, 0)

func record(_ key: String, _ value: String?) -> NewRecord {
  NewRecord(key: Array(key.utf8), value: value.map { Array($0.utf8) })
}

func batch(
  _ key: String, _ value: String? = "value", idempotencyKey: String? = nil, writer: Writer? = nil
) -> AppendBatch {
  AppendBatch(
    [record(key, value)], timestamp: milliseconds(), idempotencyKey: idempotencyKey,
    writer: writer)
}

func milliseconds() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

/// A record as it was read.
struct Seen: Hashable {
  var offset: Offset
  var timestamp: Int64
  var key: String
  var value: String?
}

/// Copies what it is lent.
struct Collecting: RecordSink {
  var seen: [Seen] = []

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    func text(_ range: Range<Int>) -> String {
      bytes.extracting(range).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
    for index in rows.indices {
      let row = rows[index]
      seen.append(
        Seen(
          offset: row.offset, timestamp: row.timestamp, key: text(row.key),
          value: row.isTombstone ? nil : text(row.value)))
    }
  }
}

extension EventLog {
  /// Everything in a partition, up to its end as it was on asking.
  func all(_ partition: Partition, bytesMax: Int = 1 << 20) throws -> [Seen] {
    let bounds = try bounds(of: partition)
    var sink = Collecting()
    var position = bounds.start
    while position < bounds.end {
      position = try read(partition, from: position, bytesMax: bytesMax, into: &sink)
    }
    return sink.seen
  }
}

/// Runs something that blocks on a thread of its own.
func onThread<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
  try await withCheckedThrowingContinuation { continuation in
    Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
  }
}

/// Asks again and again until the answer is yes, or the time is up.
func eventually(
  within duration: Duration = .seconds(30), _ condition: () async throws -> Bool
) async throws -> Bool {
  let deadline = ContinuousClock.now + duration
  while .now < deadline {
    if try await condition() { return true }
    await Task.yield()
  }
  return false
}
