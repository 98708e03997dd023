public import EventStorage
public import Events

/// A service node as the log has it.
public struct NodeEntry: Equatable, Sendable {
  /// Its name.
  public var id: String
  /// As `NodeStatus.State` numbers it: 1 up, 2 draining, 3 failed, 4 left.
  public var state: UInt8
  /// Which life of it.
  public var incarnation: UInt64
  /// Relative weight.
  public var capacity: UInt32
  /// Where the gateway reaches it; empty for a node that fetches.
  public var url: String

  /// A node with this status.
  public init(id: String, state: UInt8, incarnation: UInt64, capacity: UInt32, url: String) {
    self.id = id
    self.state = state
    self.incarnation = incarnation
    self.capacity = capacity
    self.url = url
  }
}

/// What a node last said of its load.
public struct NodeLoad: Equatable, Sendable, BitwiseCopyable {
  /// The life that said it.
  public var incarnation: UInt64
  /// Messages it is working on.
  public var inFlight: UInt32
  /// How long a message takes it, in microseconds.
  public var latencyMicroseconds: UInt32
  /// Relative weight.
  public var capacity: UInt32
}

/// The service nodes: the last status of each (topology), and the last load report (observations).
///
/// Last writer wins. The topology topic is compacted, so whatever else is written to the key of a status takes the status away, as in
/// `Channels`: a value of an unknown type, or one that cannot be read (law 6). Observations are not compacted: there only a tombstone
/// takes a load report away, and what cannot be used changes nothing (laws 10 and 11).
public struct Directory: Projection {
  /// In snapshots and on the command line.
  public static let name = "directory"
  /// Version of the meaning of this fold.
  public static let foldVersion: UInt32 = 1

  private struct Status: Equatable, Sendable, BitwiseCopyable {
    var state: UInt8
    var incarnation: UInt64
    var capacity: UInt32
    var url: Int32
  }

  /// What was met.
  public private(set) var counts = FoldCounts()
  /// What could not be used.
  public private(set) var poisoned = RecentPoison()
  private var statuses = KeyedTable<Status>()
  private var loads = KeyedTable<NodeLoad>()
  private var urls = TextTable()

  /// No nodes.
  public init() {}

  /// The nodes with a status, by the bytes of their ids.
  public var nodes: [NodeEntry] { statuses.sorted.map { entry($0, $1) } }

  /// A node, or nil when it has no status.
  public func node(_ id: NodeID) -> NodeEntry? {
    let key = Array(id.text.utf8)
    return key.withUnsafeBytes { statuses[$0] }.map { entry(key[...], $0) }
  }

  /// How many URLs are remembered, those of nodes without a status any more included.
  package var urlsKept: Int { urls.count }

  /// What a node last said of its load, or nil.
  public func load(of node: NodeID) -> NodeLoad? {
    Array(node.text.utf8).withUnsafeBytes { loads[$0] }
  }

  private func entry(_ key: ArraySlice<UInt8>, _ status: Status) -> NodeEntry {
    NodeEntry(
      id: String(decoding: key, as: UTF8.self), state: status.state,
      incarnation: status.incarnation, capacity: status.capacity, url: urls[status.url])
  }

  /// Folds a batch of topology or of observations.
  public mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices {
      apply(rows[index], RecordMeaning(rows[index], in: bytes), of: bytes)
    }
  }

  /// One record whose envelope has been read.
  mutating func apply(_ row: RecordRow, _ meaning: RecordMeaning, of bytes: RawSpan) {
    counts.records += 1
    let isUsed = bytes.withUnsafeBytes { buffer in
      let key = UnsafeRawBufferPointer(rebasing: buffer[row.key])
      let statusKey =
        key.starts(with: Directory.statusPrefix)
        ? UnsafeRawBufferPointer(rebasing: key.dropFirst(Directory.statusPrefix.count)) : nil
      switch meaning {
      case .event(.nodeStatus, let body):
        guard let statusKey else { return false }
        return setStatus(statusKey, body, of: bytes, buffer)
      case .event(.loadReported, let body):
        if let statusKey { statuses[statusKey] = nil }
        return setLoad(key, body, of: bytes)
      case .tombstone:
        if statusKey == nil { loads[key] = nil }
      case .unknown: counts.unknown += 1
      case .event, .poison: break
      }
      if let statusKey { statuses[statusKey] = nil }
      return meaning != .poison
    }
    guard !isUsed else { return }
    counts.poison += 1
    poisoned.add(row, in: bytes)
  }

  /// False when the body cannot be used; the node has no status then.
  private mutating func setStatus(
    _ id: UnsafeRawBufferPointer, _ body: Range<Int>, of bytes: RawSpan,
    _ buffer: UnsafeRawBufferPointer
  ) -> Bool {
    if urls.isStale(used: statuses.count) { packURLs() }
    guard let fields = try? NodeStatusFields(body: body, of: bytes),
      let url = urls.number(of: UnsafeRawBufferPointer(rebasing: buffer[fields.url]))
    else {
      statuses[id] = nil
      return false
    }
    let status = Status(
      state: fields.state, incarnation: fields.incarnation, capacity: fields.capacity, url: url)
    return statuses.set(id, status, isName: Directory.isNodeID)
  }

  private mutating func setLoad(
    _ id: UnsafeRawBufferPointer, _ body: Range<Int>, of bytes: RawSpan
  ) -> Bool {
    guard let fields = try? LoadFields(body: body, of: bytes) else { return false }
    let load = NodeLoad(
      incarnation: fields.incarnation, inFlight: fields.inFlight,
      latencyMicroseconds: fields.latencyMicroseconds, capacity: fields.capacity)
    return loads.set(id, load, isName: Directory.isNodeID)
  }

  private mutating func packURLs() {
    let old = urls
    urls = TextTable()
    statuses.updateAll { $0.url = urls.number(of: old[$0.url]) }
  }

  private static let statusPrefix = Array("node/".utf8)

  private static func isNodeID(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let text = String(validating: bytes, as: UTF8.self) else { return false }
    return (try? NodeID(text)) != nil
  }

  /// Statuses, then loads, each in the order of the keys' bytes.
  public func encode(into bytes: inout [UInt8]) {
    bytes.append(littleEndian: UInt64(statuses.count))
    for (key, status) in statuses.sorted {
      bytes.append(text: key)
      bytes.append(status.state)
      bytes.append(littleEndian: status.incarnation)
      bytes.append(littleEndian: status.capacity)
      bytes.append(text: Array(urls[status.url].utf8)[...])
    }
    bytes.append(littleEndian: UInt64(loads.count))
    for (key, load) in loads.sorted {
      bytes.append(text: key)
      bytes.append(littleEndian: load.incarnation)
      bytes.append(littleEndian: load.inFlight)
      bytes.append(littleEndian: load.latencyMicroseconds)
      bytes.append(littleEndian: load.capacity)
    }
  }

  /// Reads what `encode` wrote.
  public init(decoding bytes: RawSpan) throws(SnapshotFailure) {
    self.init()
    var reader = StateReader(bytes.byteCount)
    var last: [UInt8]?
    for _ in 0..<(try reader.next(UInt64.self, in: bytes)) {
      let key = try nodeID(&reader, after: last, in: bytes)
      last = key
      let state = try reader.next(UInt8.self, in: bytes)
      let incarnation = try reader.next(UInt64.self, in: bytes)
      let capacity = try reader.next(UInt32.self, in: bytes)
      let url = try reader.text(in: bytes)
      guard let number = url.withUnsafeBytes({ urls.number(of: $0) }) else {
        throw .damaged("directory: a URL that is no text")
      }
      key.withUnsafeBytes {
        statuses[$0] = Status(
          state: state, incarnation: incarnation, capacity: capacity, url: number)
      }
    }
    last = nil
    for _ in 0..<(try reader.next(UInt64.self, in: bytes)) {
      let key = try nodeID(&reader, after: last, in: bytes)
      last = key
      let load = NodeLoad(
        incarnation: try reader.next(UInt64.self, in: bytes),
        inFlight: try reader.next(UInt32.self, in: bytes),
        latencyMicroseconds: try reader.next(UInt32.self, in: bytes),
        capacity: try reader.next(UInt32.self, in: bytes))
      key.withUnsafeBytes { loads[$0] = load }
    }
    guard reader.isAtEnd else { throw .damaged("directory: the state does not end where it says") }
  }

  private func nodeID(
    _ reader: inout StateReader, after last: [UInt8]?, in bytes: RawSpan
  ) throws(SnapshotFailure) -> [UInt8] {
    let key = try reader.key(after: last, in: bytes)
    guard key.withUnsafeBytes(Directory.isNodeID) else {
      throw .damaged("directory: a node whose id is none")
    }
    return key
  }
}
