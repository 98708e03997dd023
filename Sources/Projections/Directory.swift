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
/// Last writer wins. As in `Channels`, a value that cannot be used takes its key away.
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
  private var statuses = KeyedTable<Status>()
  private var loads = KeyedTable<NodeLoad>()
  private var urls = TextTable()

  /// No nodes.
  public init() {}

  /// The nodes with a status, by id.
  public var nodes: [NodeEntry] {
    statuses.sorted.map { key, status in
      NodeEntry(
        id: String(decoding: key, as: UTF8.self), state: status.state,
        incarnation: status.incarnation, capacity: status.capacity, url: urls[status.url])
    }
  }

  /// What a node last said of its load, or nil.
  public func load(of node: NodeID) -> NodeLoad? {
    Array(node.text.utf8).withUnsafeBytes { loads[$0] }
  }

  /// Folds a batch of topology or of observations.
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
      let isStatusKey = key.starts(with: Directory.statusPrefix)
      let id = isStatusKey ? UnsafeRawBufferPointer(rebasing: key.dropFirst(5)) : key
      do throws(DecodeFailure) {
        switch envelope {
        case .event(.nodeStatus, let body) where isStatusKey:
          let fields = try NodeStatusFields(body: body, of: bytes)
          statuses[id] = Status(
            state: fields.state, incarnation: fields.incarnation, capacity: fields.capacity,
            url: urls.number(of: UnsafeRawBufferPointer(rebasing: buffer[fields.url])))
        case .event(.loadReported, let body):
          let fields = try LoadFields(body: body, of: bytes)
          loads[key] = NodeLoad(
            incarnation: fields.incarnation, inFlight: fields.inFlight,
            latencyMicroseconds: fields.latencyMicroseconds, capacity: fields.capacity)
        case .event where !isStatusKey: break
        default: forget(id, isStatusKey)
        }
      } catch {
        counts.poison += 1
        forget(id, isStatusKey)
      }
    }
  }

  private mutating func forget(_ id: UnsafeRawBufferPointer, _ isStatusKey: Bool) {
    if isStatusKey { statuses[id] = nil } else { loads[id] = nil }
  }

  private static let statusPrefix = Array("node/".utf8)

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
      let key = try reader.key(after: last, in: bytes)
      last = key
      let state = try reader.next(UInt8.self, in: bytes)
      let incarnation = try reader.next(UInt64.self, in: bytes)
      let capacity = try reader.next(UInt32.self, in: bytes)
      let url = try reader.text(in: bytes)
      let number = url.withUnsafeBytes { urls.number(of: $0) }
      key.withUnsafeBytes {
        statuses[$0] = Status(
          state: state, incarnation: incarnation, capacity: capacity, url: number)
      }
    }
    last = nil
    for _ in 0..<(try reader.next(UInt64.self, in: bytes)) {
      let key = try reader.key(after: last, in: bytes)
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
}
