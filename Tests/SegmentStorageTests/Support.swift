import EventStorage
import Foundation
import PropertyTesting
import SegmentStorage

/// A directory of one test, removed after it.
final class TemporaryDirectory {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "signalbox-segments-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// A record as a reader sees it.
struct Seen: Hashable {
  var offset: Int64
  var timestamp: Int64
  var key: [UInt8]
  var value: [UInt8]?
}

/// Keeps everything it is lent.
struct Collector: RecordSink {
  var records: [Seen] = []
  var batches = 0
  var next: Offset = .zero

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in 0..<rows.count {
      let row = rows[index]
      records.append(
        Seen(
          offset: row.offset.rawValue, timestamp: row.timestamp, key: copy(bytes, row.key),
          value: row.isTombstone ? nil : copy(bytes, row.value)))
    }
    batches += 1
    self.next = next
  }

  private func copy(_ bytes: RawSpan, _ range: Range<Int>) -> [UInt8] {
    bytes.extracting(range).withUnsafeBytes { Array($0) }
  }
}

extension SegmentedLog {
  /// Everything from `offset` to the end.
  func all(_ partition: Partition, from offset: Offset? = nil) throws -> [Seen] {
    var sink = Collector()
    var position = try offset ?? bounds(of: partition).start
    while position < (try bounds(of: partition).end) {
      position = try read(partition, from: position, bytesMax: 1 << 20, into: &sink)
    }
    return sink.records
  }
}

extension Choices {
  mutating func below(_ bound: Int) -> Int { Int(next(below: UInt64(bound))) }
  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(below(256)) } }
}

func record(_ key: String, _ value: String?) -> NewRecord {
  NewRecord(key: Array(key.utf8), value: value.map { Array($0.utf8) })
}

let messages = Partition(.messages, 0)
let observations = Partition(.observations, 0)
let topology = Partition(.topology, 0)

/// No thread of its own, so that a test says when maintenance happens.
func options(_ change: (inout SegmentedLog.Options) -> Void = { _ in }) -> SegmentedLog.Options {
  var options = SegmentedLog.Options()
  options.partitions = 1
  options.identity = LogIdentity(0x5167_6E61_6C62_6F78)
  options.maintenanceInterval = nil
  options.now = { 0 }
  change(&options)
  return options
}
