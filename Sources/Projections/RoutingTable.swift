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
}

/// What a cluster has agreed on.
public struct ClusterState: Equatable, Sendable, BitwiseCopyable {
  /// Partitions of every topic but topology.
  public var partitions: UInt32
  /// Whether too many nodes look failed to believe it.
  public var isFrozen: Bool
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

  private struct Route: Sendable, BitwiseCopyable {
    /// -1: nobody.
    var node: Int32 = -1
    var epoch: UInt64 = 0
    var offset: Int64 = 0
  }

  /// What was met.
  public private(set) var counts = FoldCounts()
  private var routes = [Route](repeating: Route(), count: Slot.count)
  private var clusters = KeyedTable<ClusterState>()
  private var nodes = TextTable()

  /// No routes.
  public init() {}

  /// The owner of a slot, or nil.
  public func owner(of slot: Slot) -> SlotOwner? {
    let route = routes[slot.number]
    guard route.node >= 0 else { return nil }
    return SlotOwner(node: nodes[route.node], epoch: route.epoch, offset: Offset(route.offset))
  }

  /// The settings of a cluster, or nil.
  public func cluster(_ name: String) -> ClusterState? {
    Array(name.utf8).withUnsafeBytes { clusters[$0] }
  }

  /// Folds a batch of topology.
  public mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices {
      let row = rows[index]
      counts.records += 1
      var envelope = EventEnvelope.unknown
      if !row.isTombstone {
        do throws(DecodeFailure) {
          envelope = try EventEnvelope.read(row.value, of: bytes)
          if envelope == .unknown { counts.unknown += 1 }
        } catch { counts.poison += 1 }
      }
      apply(row, envelope, of: bytes)
    }
  }

  /// One record whose envelope has been read; `unknown` for tombstones and for values that cannot be used.
  mutating func apply(_ row: RecordRow, _ envelope: EventEnvelope, of bytes: RawSpan) {
    bytes.withUnsafeBytes { buffer in
      let key = UnsafeRawBufferPointer(rebasing: buffer[row.key])
      if key.starts(with: RoutingTable.slotPrefix) {
        guard let slot = RoutingTable.slot(key.dropFirst(5)) else {
          counts.poison += 1
          return
        }
        routes[slot] = route(row, envelope, of: bytes, buffer)
      } else if key.starts(with: RoutingTable.clusterPrefix) {
        clusters[UnsafeRawBufferPointer(rebasing: key.dropFirst(8))] = cluster(envelope, of: bytes)
      }
    }
  }

  private mutating func route(
    _ row: RecordRow, _ envelope: EventEnvelope, of bytes: RawSpan,
    _ buffer: UnsafeRawBufferPointer
  ) -> Route {
    guard case .event(.slotRoute, let body) = envelope else { return Route() }
    guard let fields = try? SlotRouteFields(body: body, of: bytes) else {
      counts.poison += 1
      return Route()
    }
    if fields.node.isEmpty { return Route() }
    let node = nodes.number(of: UnsafeRawBufferPointer(rebasing: buffer[fields.node]))
    return Route(node: node, epoch: fields.epoch, offset: row.offset.rawValue)
  }

  private mutating func cluster(_ envelope: EventEnvelope, of bytes: RawSpan) -> ClusterState? {
    guard case .event(.clusterSettings, let body) = envelope else { return nil }
    guard let fields = try? ClusterSettingsFields(body: body, of: bytes) else {
      counts.poison += 1
      return nil
    }
    return ClusterState(partitions: fields.partitions, isFrozen: fields.isFrozen)
  }

  private static let slotPrefix = Array("slot/".utf8)
  private static let clusterPrefix = Array("cluster/".utf8)

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

  /// Owned slots in order, then clusters in the order of their names' bytes.
  public func encode(into bytes: inout [UInt8]) {
    bytes.append(littleEndian: UInt32(routes.count { $0.node >= 0 }))
    for (number, route) in routes.enumerated() where route.node >= 0 {
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
      guard !node.isEmpty else { throw .damaged("routing table: an owner without a name") }
      routes[slot] = Route(
        node: node.withUnsafeBytes { nodes.number(of: $0) }, epoch: epoch, offset: offset)
    }
    var last: [UInt8]?
    for _ in 0..<(try reader.next(UInt64.self, in: bytes)) {
      let key = try reader.key(after: last, in: bytes)
      last = key
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
