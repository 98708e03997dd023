import Crypto
import EventStorage
import Projections
import PropertyTesting

/// Snapshots: refused, or the same bytes when they are encoded again. A state that can be read can be asked, too.
enum StoredState {
  @Sendable static func test(_ bytes: [UInt8]) throws {
    if let channels = try state(bytes, as: Channels.self) { try check(channels) }
    if let directory = try state(bytes, as: Directory.self) { try check(directory) }
    _ = try state(bytes, as: RoutingTable.self)
    try snapshot(bytes)
    // No mutation gets past a digest by chance.
    try snapshot(bytes + SHA256.hash(data: bytes))
  }

  private static func state<State: Projection>(
    _ bytes: [UInt8], as: State.Type
  ) throws -> State? {
    let state: State
    do throws(SnapshotFailure) {
      state = try State(decoding: bytes.span.bytes)
    } catch {
      return nil
    }
    var again: [UInt8] = []
    state.encode(into: &again)
    try hold(again, equals: bytes, State.name)
    return state
  }

  private static func check(_ channels: Channels) throws {
    try hold(channels.heldBytes <= 1 << 20, "\(channels.heldBytes) bytes are held")
    // When time has passed, only what never expires is left.
    var later = channels
    later.collectsExpired = true
    let row = RecordRow(
      offset: Offset(.max), timestamp: .max, keyStart: 0, keyLength: 0, valueStart: 0,
      valueLength: 0)
    let nothing: [UInt8] = [0]
    later.apply(nothing.span.bytes, [row].span, next: Offset(.max))
    try hold(later.nextExpiry == nil, "a message outlives the end of time")
    try hold(later.count + later.takeExpired().count, equals: channels.count)
  }

  private static func check(_ directory: Directory) throws {
    for node in directory.nodes { try hold(!node.id.isEmpty, "a node without an id") }
  }

  private static func snapshot(_ bytes: [UInt8]) throws {
    try snapshot(bytes, as: Channels.self)
    try snapshot(bytes, as: Directory.self)
    try snapshot(bytes, as: RoutingTable.self)
  }

  /// As of whatever log and partition it says that it is.
  private static func snapshot<State: Projection>(_ bytes: [UInt8], as: State.Type) throws {
    guard bytes.count > 48 else { return }
    let log = LogIdentity(bytes[8..<16].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    let index = bytes[24..<28].reversed().reduce(0) { $0 << 8 | Int($1) }
    let nameLength = Int(bytes[40]) | Int(bytes[41]) << 8
    guard 42 + nameLength < bytes.count, let topic = Topic(rawValue: bytes[42 + nameLength])
    else { return }
    let bounds = LogBounds(start: .zero, end: Offset(.max), tombstoneHorizon: .zero)
    let fold: Fold<State>
    do throws(SnapshotFailure) {
      fold = try Snapshot.decode(bytes, of: log, Partition(topic, index), within: bounds)
    } catch {
      return
    }
    try hold(Snapshot.encode(fold, of: log), equals: bytes, State.name)
  }
}
