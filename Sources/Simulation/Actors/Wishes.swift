internal import EventStorage
internal import Events
internal import Projections

/// What nodes asked for last: to be in, or out. The observations as the controller needs them.
struct Wishes: Projection {
  struct Wish {
    var node: String
    var joins: Bool
    /// The life that a join begins: where it stands is as good a number as any.
    var incarnation: UInt64
  }

  static let name = "wishes"
  static let foldVersion: UInt32 = 1

  private var wishes: [String: Wish] = [:]
  private(set) var counts = FoldCounts()

  init() {}

  /// By node.
  var sorted: [Wish] { wishes.values.sorted { $0.node < $1.node } }

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices {
      let row = rows[index]
      counts.records += 1
      guard case .event(let type, _)? = try? EventEnvelope.read(row.value, of: bytes),
        type == .joinRequested || type == .leaveRequested
      else { continue }
      let node = bytes.extracting(row.key).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
      wishes[node] = Wish(
        node: node, joins: type == .joinRequested,
        incarnation: UInt64(row.offset.rawValue) + 1)
    }
  }

  /// Never stored.
  func encode(into bytes: inout [UInt8]) {}
  init(decoding bytes: RawSpan) throws(SnapshotFailure) { throw .damaged("wishes are not stored") }
}
