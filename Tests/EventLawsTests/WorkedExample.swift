import EventLaws
import EventStorage
import Projections
import PropertyTesting

/// Who owns what. A key is a letter, a value is an epoch and an owner, a byte each.
struct Owners: Projection {
  static let name = "owners"
  static let foldVersion: UInt32 = 1
  private(set) var counts = FoldCounts()
  private var owners: [UInt8: (epoch: UInt8, owner: UInt8)] = [:]

  init() {}

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    bytes.withUnsafeBytes { bytes in
      for index in rows.indices {
        counts.records += 1
        let key = bytes[rows[index].key.lowerBound]
        let value = rows[index].isTombstone ? nil : rows[index].value.lowerBound
        let owner = value.map { (epoch: bytes[$0], owner: bytes[$0 + 1]) }
        if let owner, let known = owners[key], owner.epoch < known.epoch { continue }
        owners[key] = owner
      }
    }
  }

  func encode(into bytes: inout [UInt8]) {
    for (key, value) in owners.sorted(by: { $0.key < $1.key }) {
      bytes += [key, value.epoch, value.owner]
    }
  }

  init(decoding bytes: RawSpan) throws(SnapshotFailure) {
    guard bytes.byteCount % 3 == 0 else { throw .damaged("an owner is three bytes") }
    let bytes = bytes.withUnsafeBytes { Array($0) }
    for at in stride(from: 0, to: bytes.count, by: 3) {
      owners[bytes[at]] = (epoch: bytes[at + 1], owner: bytes[at + 2])
    }
  }
}

/// An owner of one of three things.
@Sendable func ownership(_ choices: inout Choices) -> NewRecord {
  NewRecord(
    key: [choices.element(of: Array("abc".utf8))],
    value: [UInt8(choices.int(in: 0...9)), choices.element(of: Array("XYZ".utf8))])
}
