import EventStorage
import Projections

/// Who is present, and until when: the value is the time. Its snapshots miss the time, so that who was read from one never leaves.
struct Presence: Projection {
  static let name = "presence"
  static let foldVersion: UInt32 = 1
  private(set) var counts = FoldCounts()
  private var until: [[UInt8]: Int64] = [:]

  init() {}

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    bytes.withUnsafeBytes { buffer in
      for index in rows.indices {
        let row = rows[index]
        counts.records += 1
        until[Array(buffer[row.key])] = row.isTombstone ? nil : Int64(buffer[row.value.lowerBound])
        until = until.filter { $0.value > row.timestamp }
      }
    }
  }

  func encode(into bytes: inout [UInt8]) {
    for key in until.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      bytes += [UInt8(key.count)] + key
    }
  }

  init(decoding bytes: RawSpan) throws(SnapshotFailure) {
    self.init()
    var rest = bytes.withUnsafeBytes { Array($0)[...] }
    while let length = rest.popFirst() {
      until[Array(rest.prefix(Int(length)))] = .max
      rest = rest.dropFirst(Int(length))
    }
  }
}
