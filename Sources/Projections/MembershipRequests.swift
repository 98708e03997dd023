public import EventStorage
public import Events

/// What a service node asked for last.
public enum MembershipRequest: Equatable, Sendable {
  /// To be in, as this life of it.
  case join(incarnation: UInt64, capacity: UInt32, url: String)
  /// To be out.
  case leave(incarnation: UInt64)
}

/// What the service nodes asked for last, from the observations of a partition.
///
/// The life that a join begins is numbered by where its record lies, so that whoever appended it knows the number at once, and a later
/// join has a higher one. A leave of an older life than the last one comes too late and changes nothing: observations are not
/// compacted, so a fold may refuse them.
public struct MembershipRequests: Projection {
  /// In snapshots and on the command line.
  public static let name = "membership-requests"
  /// Version of the meaning of this fold.
  public static let foldVersion: UInt32 = 1

  /// What was met.
  public private(set) var counts = FoldCounts()
  /// What could not be used.
  public private(set) var poisoned = RecentPoison()
  private var requests: [String: MembershipRequest] = [:]

  /// Nobody asked for anything.
  public init() {}

  /// The last request of each node, by the bytes of their names.
  public var sorted: [(node: String, request: MembershipRequest)] {
    requests.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      .map { ($0.key, $0.value) }
  }

  /// What a node asked for last.
  public subscript(node: NodeID) -> MembershipRequest? { requests[node.text] }

  /// The life that the join in the record at `offset` begins.
  public static func incarnation(at offset: Offset) -> UInt64 { UInt64(offset.rawValue) + 1 }

  /// Folds a batch of observations.
  public mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    for index in rows.indices {
      counts.records += 1
      let row = rows[index]
      let isUsed =
        switch RecordMeaning(row, in: bytes) {
        case .event(.joinRequested, let body): join(row, body, of: bytes)
        case .event(.leaveRequested, let body): leave(row, body, of: bytes)
        case .event: true
        case .tombstone: forget(row, in: bytes)
        case .unknown: countUnknown()
        case .poison: false
        }
      guard !isUsed else { continue }
      counts.poison += 1
      poisoned.add(row, in: bytes)
    }
  }

  private func node(_ row: RecordRow, in bytes: RawSpan) -> NodeID? {
    bytes.extracting(row.key).withUnsafeBytes { String(validating: $0, as: UTF8.self) }
      .flatMap { try? NodeID($0) }
  }

  private mutating func join(_ row: RecordRow, _ body: Range<Int>, of bytes: RawSpan) -> Bool {
    guard let node = node(row, in: bytes),
      let fields = try? JoinFields(body: body, of: bytes)
    else { return false }
    let url = bytes.extracting(fields.url).withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    requests[node.text] = .join(
      incarnation: MembershipRequests.incarnation(at: row.offset), capacity: fields.capacity,
      url: url)
    return true
  }

  private mutating func leave(_ row: RecordRow, _ body: Range<Int>, of bytes: RawSpan) -> Bool {
    guard let node = node(row, in: bytes),
      let fields = try? LeaveFields(body: body, of: bytes)
    else { return false }
    guard case .join(let last, _, _)? = requests[node.text] else {
      requests[node.text] = .leave(incarnation: fields.incarnation)
      return true
    }
    if fields.incarnation == 0 || fields.incarnation >= last {
      requests[node.text] = .leave(incarnation: last)
    }
    return true
  }

  private mutating func forget(_ row: RecordRow, in bytes: RawSpan) -> Bool {
    if let node = node(row, in: bytes) { requests[node.text] = nil }
    return true
  }

  private mutating func countUnknown() -> Bool {
    counts.unknown += 1
    return true
  }

  /// The requests in the order of the nodes' names.
  public func encode(into bytes: inout [UInt8]) {
    bytes.append(littleEndian: UInt64(requests.count))
    for (node, request) in sorted {
      bytes.append(text: Array(node.utf8)[...])
      switch request {
      case .join(let incarnation, let capacity, let url):
        bytes.append(1)
        bytes.append(littleEndian: incarnation)
        bytes.append(littleEndian: capacity)
        bytes.append(text: Array(url.utf8)[...])
      case .leave(let incarnation):
        bytes.append(2)
        bytes.append(littleEndian: incarnation)
      }
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
      guard let text = String(validating: key, as: UTF8.self), let node = try? NodeID(text) else {
        throw .damaged("membership requests: a node whose name is none")
      }
      switch try reader.next(UInt8.self, in: bytes) {
      case 1:
        let incarnation = try reader.next(UInt64.self, in: bytes)
        let capacity = try reader.next(UInt32.self, in: bytes)
        guard let url = String(validating: try reader.text(in: bytes), as: UTF8.self) else {
          throw .damaged("membership requests: a URL that is no text")
        }
        requests[node.text] = .join(incarnation: incarnation, capacity: capacity, url: url)
      case 2:
        requests[node.text] = .leave(incarnation: try reader.next(UInt64.self, in: bytes))
      default: throw .damaged("membership requests: neither a join nor a leave")
      }
    }
    guard reader.isAtEnd else {
      throw .damaged("membership requests: the state does not end where it says")
    }
  }
}
