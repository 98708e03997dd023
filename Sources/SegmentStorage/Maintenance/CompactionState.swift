internal import EventStorage

/// How far compaction has come. Written before anything that depends on it is removed (law 7).
struct CompactionState: Equatable, Sendable {
  static let magic = Array("SBXCOMPT".utf8)
  static let version: UInt32 = 1

  /// Below this every key appears once.
  var cleanedTo = Offset.zero
  /// Below this tombstones may be gone.
  var tombstoneHorizon = Offset.zero

  init() {}

  init?(_ file: [UInt8]) {
    let magic = CompactionState.magic
    guard let body = checkedBody(of: file, magic: magic, version: CompactionState.version) else {
      return nil
    }
    var fields = FieldReader(body)
    guard let cleaned = fields.next(Int64.self), let horizon = fields.next(Int64.self),
      fields.remaining == 0
    else { return nil }
    cleanedTo = Offset(cleaned)
    tombstoneHorizon = Offset(horizon)
  }

  func encoded() -> [UInt8] {
    var store = ByteStore()
    store.append(CompactionState.magic)
    store.append(littleEndian: CompactionState.version)
    store.append(littleEndian: cleanedTo.rawValue)
    store.append(littleEndian: tombstoneHorizon.rawValue)
    return store.sealed()
  }
}
