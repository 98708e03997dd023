/// The events of nodes that come and go, as record values: byte for byte what swift-protobuf writes.
extension EventType {
  /// A node asks to be in.
  public static func joinRequest(capacity: UInt32, url: String) -> [UInt8] {
    joinRequested.event { body in
      body.field(1, UInt64(capacity))
      body.field(2, url.utf8)
    }
  }

  /// A life of a node asks to be out; 0 means whichever is in.
  public static func leaveRequest(incarnation: UInt64) -> [UInt8] {
    leaveRequested.event { $0.field(1, incarnation) }
  }

  /// The status of a node. States are numbered as in `NodeStatus.State`.
  public static func status(
    state: UInt8, incarnation: UInt64, capacity: UInt32, url: String
  ) -> [UInt8] {
    nodeStatus.event { body in
      body.field(1, UInt64(state))
      body.field(2, incarnation)
      body.field(3, UInt64(capacity))
      body.field(4, url.utf8)
    }
  }

  private func event(_ fill: (inout WireWriter) -> Void) -> [UInt8] {
    var body = WireWriter()
    fill(&body)
    var event = WireWriter()
    event.varint(UInt64(rawValue) << 3 | 2)
    event.varint(UInt64(body.bytes.count))
    return event.bytes + body.bytes
  }
}
