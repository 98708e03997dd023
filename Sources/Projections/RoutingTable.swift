public import EventStorage
public import Events

/// Who owns a slot.
public struct SlotOwner: Equatable, Sendable {
  /// The owning node's id.
  public var node: String
  /// Under which epoch.
  public var epoch: UInt64
  /// The record that says so.
  public var offset: Offset

  /// The owner that this record names.
  public init(node: String, epoch: UInt64, offset: Offset) {
    self.node = node
    self.epoch = epoch
    self.offset = offset
  }
}

/// What a cluster has agreed on.
public struct ClusterState: Equatable, Sendable, BitwiseCopyable {
  /// Partitions of every topic but topology.
  public var partitions: UInt32
  /// Whether too many nodes look failed to believe it.
  public var isFrozen: Bool

  /// These settings.
  public init(partitions: UInt32, isFrozen: Bool) {
    self.partitions = partitions
    self.isFrozen = isFrozen
  }
}

/// Slots and their owners, and the settings of clusters: the topology topic.
///
/// Last writer wins: epochs are compared before a route is appended, never here. As in `Channels`, a value that cannot be used takes
/// its key away.
public struct RoutingTable: Projection {
  /// In snapshots and on the command line.
  public static let name = "routing-table"
  /// Version of the meaning of this fold.
  public static let foldVersion: UInt32 = 1
  /// The longest name of a cluster, in UTF-8 bytes.
  public static let clusterNameBytesMax = 255

  private struct Route: Sendable, BitwiseCopyable {
    /// -1: the log says nothing. Nobody has the number of the empty text.
    var node: Int32 = -1
    var epoch: UInt64 = 0
    var offset: Int64 = 0
  }

  /// What was met.
  public private(set) var counts = FoldCounts()
  /// What could not be used.
  public private(set) var poisoned = RecentPoison()
  private var routes = [Route](repeating: Route(), count: Slot.count)
  private var clusters = KeyedTable<ClusterState>()
  private var nodes = TextTable()

  /// No routes.
  public init() {}

  /// The owner of a slot, or nil when nobody owns it.
  public func owner(of slot: Slot) -> SlotOwner? {
    let route = routes[slot.number]
    guard route.node >= 0, !nodes[route.node].isEmpty else { return nil }
    return SlotOwner(node: nodes[route.node], epoch: route.epoch, offset: Offset(route.offset))
  }

  /// The epoch of a slot's last route, 0 without one. A slot that nobody owns keeps its epoch: the next owner gets a higher one.
  public func epoch(of slot: Slot) -> UInt64 { routes[slot.number].epoch }

  /// The slots that a node owns, in order.
  public func slots(of node: NodeID) -> [Slot] {
    (0..<Slot.count).compactMap(Slot.init).filter { slot in
      let number = routes[slot.number].node
      return number >= 0 && nodes[number] == node.text
    }
  }

  /// How many names of owners are remembered, those that own nothing any more included.
  package var namesKept: Int { nodes.count }

  /// The settings of a cluster, or nil.
  public func cluster(_ name: String) -> ClusterState? {
    Array(name.utf8).withUnsafeBytes { clusters[$0] }
  }

  /// Folds a batch of topology.
  public mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices {
      apply(rows[index], RecordMeaning(rows[index], in: bytes), of: bytes)
    }
  }

  /// One record whose envelope has been read.
  mutating func apply(_ row: RecordRow, _ meaning: RecordMeaning, of bytes: RawSpan) {
    counts.records += 1
    if meaning == .unknown { counts.unknown += 1 }
    let isUsed = bytes.withUnsafeBytes { buffer in
      let key = UnsafeRawBufferPointer(rebasing: buffer[row.key])
      if key.starts(with: RoutingTable.slotPrefix) {
        guard let slot = RoutingTable.slot(key.dropFirst(RoutingTable.slotPrefix.count)) else {
          return meaning == .unknown
        }
        return setRoute(slot, row.offset, meaning, of: bytes, buffer)
      }
      if key.starts(with: RoutingTable.clusterPrefix) {
        let name = key.dropFirst(RoutingTable.clusterPrefix.count)
        return setCluster(UnsafeRawBufferPointer(rebasing: name), meaning, of: bytes)
      }
      switch meaning {
      case .event(.slotRoute, _), .event(.clusterSettings, _), .poison: return false
      case .event, .unknown, .tombstone: return true
      }
    }
    guard !isUsed else { return }
    counts.poison += 1
    poisoned.add(row, in: bytes)
  }

  /// False when the value cannot be used; the slot has no route then.
  private mutating func setRoute(
    _ slot: Int, _ offset: Offset, _ meaning: RecordMeaning, of bytes: RawSpan,
    _ buffer: UnsafeRawBufferPointer
  ) -> Bool {
    routes[slot] = Route()
    guard case .event(.slotRoute, let body) = meaning else { return meaning != .poison }
    if nodes.isStale(used: Slot.count) { packNodes() }
    guard let fields = try? SlotRouteFields(body: body, of: bytes),
      let node = nodes.number(of: UnsafeRawBufferPointer(rebasing: buffer[fields.node]))
    else { return false }
    routes[slot] = Route(node: node, epoch: fields.epoch, offset: offset.rawValue)
    return true
  }

  /// False when the value or the name cannot be used; the cluster has no settings then.
  private mutating func setCluster(
    _ name: UnsafeRawBufferPointer, _ meaning: RecordMeaning, of bytes: RawSpan
  ) -> Bool {
    guard case .event(.clusterSettings, let body) = meaning,
      let fields = try? ClusterSettingsFields(body: body, of: bytes)
    else {
      clusters[name] = nil
      if case .event(.clusterSettings, _) = meaning { return false }
      return meaning != .poison
    }
    let state = ClusterState(partitions: fields.partitions, isFrozen: fields.isFrozen)
    return clusters.set(name, state, isName: RoutingTable.isClusterName)
  }

  private mutating func packNodes() {
    let old = nodes
    nodes = TextTable()
    for slot in routes.indices where routes[slot].node >= 0 {
      routes[slot].node = nodes.number(of: old[routes[slot].node])
    }
  }

  /// Whether a key is a slot's or a cluster's.
  static func owns(_ key: Range<Int>, of bytes: RawSpan) -> Bool {
    bytes.withUnsafeBytes { buffer in
      buffer[key].starts(with: slotPrefix) || buffer[key].starts(with: clusterPrefix)
    }
  }

  private static let slotPrefix = Array("slot/".utf8)
  private static let clusterPrefix = Array("cluster/".utf8)

  private static func isClusterName(_ bytes: UnsafeRawBufferPointer) -> Bool {
    1...clusterNameBytesMax ~= bytes.count && String(validating: bytes, as: UTF8.self) != nil
  }

  /// A slot number as keys are written: digits without a leading zero.
  private static func slot(_ digits: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard let first = digits.first, digits.count <= 4,
      first != UInt8(ascii: "0") || digits.count == 1
    else { return nil }
    var number = 0
    for digit in digits {
      guard UInt8(ascii: "0")...UInt8(ascii: "9") ~= digit else { return nil }
      number = number * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return number < Slot.count ? number : nil
  }

  /// Slots with a route in order, then clusters in the order of their names' bytes.
  public func encode(into bytes: inout [UInt8]) {
    // A plain loop: the law kit encodes this hundreds of thousands of times, in debug builds too.
    var routed: [Int] = []
    let all = routes.span
    for number in all.indices where all[number].node >= 0 { routed.append(number) }
    bytes.append(littleEndian: UInt32(routed.count))
    for number in routed {
      let route = routes[number]
      bytes.append(littleEndian: UInt16(number))
      bytes.append(littleEndian: route.epoch)
      bytes.append(littleEndian: route.offset)
      bytes.append(text: Array(nodes[route.node].utf8)[...])
    }
    bytes.append(littleEndian: UInt64(clusters.count))
    for (key, state) in clusters.sorted {
      bytes.append(text: key)
      bytes.append(littleEndian: state.partitions)
      bytes.append(state.isFrozen ? 1 : 0)
    }
  }

  /// Reads what `encode` wrote.
  public init(decoding bytes: RawSpan) throws(SnapshotFailure) {
    self.init()
    var reader = StateReader(bytes.byteCount)
    var next = 0
    for _ in 0..<(try reader.next(UInt32.self, in: bytes)) {
      let slot = Int(try reader.next(UInt16.self, in: bytes))
      guard slot >= next, slot < Slot.count else {
        throw .damaged("routing table: a slot that is none or out of order")
      }
      next = slot + 1
      let epoch = try reader.next(UInt64.self, in: bytes)
      let offset = try reader.next(Int64.self, in: bytes)
      let node = try reader.text(in: bytes)
      guard let number = node.withUnsafeBytes({ nodes.number(of: $0) }) else {
        throw .damaged("routing table: an owner whose name is no text")
      }
      routes[slot] = Route(node: number, epoch: epoch, offset: offset)
    }
    var last: [UInt8]?
    for _ in 0..<(try reader.next(UInt64.self, in: bytes)) {
      let key = try reader.key(after: last, in: bytes)
      last = key
      guard key.withUnsafeBytes(RoutingTable.isClusterName) else {
        throw .damaged("routing table: a cluster without a name")
      }
      let partitions = try reader.next(UInt32.self, in: bytes)
      let frozen = try reader.next(UInt8.self, in: bytes)
      guard frozen <= 1 else { throw .damaged("routing table: neither frozen nor not") }
      key.withUnsafeBytes {
        clusters[$0] = ClusterState(partitions: partitions, isFrozen: frozen == 1)
      }
    }
    guard reader.isAtEnd else {
      throw .damaged("routing table: the state does not end where it says")
    }
  }
}
