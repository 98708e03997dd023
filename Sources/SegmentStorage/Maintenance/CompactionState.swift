internal import EventStorage

/// How far compaction has come. Written before anything that depends on it is removed (law 7).
struct CompactionState: Equatable, Sendable {
  static let magic = Array("SBXCOMPT".utf8)
  /// Version 1 did not have the clean point; it is still read.
  static let version: UInt32 = 2

  /// Below this every key appears once.
  var cleanedTo = Offset.zero
  /// Below this tombstones may be gone.
  var tombstoneHorizon = Offset.zero
  /// Below this records may be gone that a later one replaced (law 30). Ahead of `cleanedTo` while a run is under way, or was cut off.
  var cleanPoint = Offset.zero

  init() {}

  init?(_ file: [UInt8]) {
    let magic = CompactionState.magic
    let current = checkedBody(of: file, magic: magic, version: CompactionState.version)
    guard let body = current ?? checkedBody(of: file, magic: magic, version: 1) else { return nil }
    var fields = FieldReader(body)
    guard let cleaned = fields.next(Int64.self), let horizon = fields.next(Int64.self),
      let cleanPoint = current == nil ? cleaned : fields.next(Int64.self), fields.remaining == 0
    else { return nil }
    cleanedTo = Offset(cleaned)
    tombstoneHorizon = Offset(horizon)
    self.cleanPoint = Offset(cleanPoint)
  }

  func encoded() -> [UInt8] {
    var store = ByteStore()
    store.append(CompactionState.magic)
    store.append(littleEndian: CompactionState.version)
    store.append(littleEndian: cleanedTo.rawValue)
    store.append(littleEndian: tombstoneHorizon.rawValue)
    store.append(littleEndian: cleanPoint.rawValue)
    return store.sealed()
  }
}
