import EventStorage
import Events
import PropertyTesting

/// Signalbox's own events, about few channels, nodes and slots, so that they meet often.
enum SignalboxEvents {
  @Sendable static func message(_ choices: inout Choices) -> NewRecord {
    let place = choices.int(in: 0...10)
    guard place < 9 else { return NewRecord(key: Array("\0time".utf8), value: TimePassed.encoded) }
    let key = ["a", "b", "aaaé/b"][place / 3] + "\0k\(place % 3)"
    let body = choices.int(in: 0...99)
    let expiresAt = max(0, Int64(choices.int(in: 0...180)) - 60)
    if expiresAt > 0 { choices.label("expires") }
    let message = Message(
      id: ["", "id", "another"][body % 3], contentType: ["", "text/plain"][body % 2],
      // Now and then longer than a page.
      data: [UInt8](repeating: UInt8(body), count: body > 90 ? (body - 90) * 1_000 : body % 20),
      expiresAt: expiresAt)
    return NewRecord(key: Array(key.utf8), value: message.encoded)
  }

  @Sendable static func topology(_ choices: inout Choices) -> NewRecord {
    switch choices.weighted([(6, 0), (6, 1), (1, 2)]) {
    case 0:
      return event("slot/\(choices.int(in: 0...2) * 2_047)", .slotRoute) { body in
        body.field(1, choices.element(of: nodes + [""]).utf8)
        body.field(2, UInt64(choices.int(in: 0...1_000)))
      }
    case 1:
      return event("node/\(choices.element(of: nodes))", .nodeStatus) { body in
        body.field(1, UInt64(choices.int(in: 0...5)))
        let life = UInt64(choices.int(in: 0...99))
        body.field(2, life / 10)
        body.field(3, life % 10)
        body.field(4, choices.element(of: ["", "http://a", "http://b/ü"]).utf8)
      }
    default:
      return event("cluster/\(choices.element(of: ["main", "ä"]))", .clusterSettings) { body in
        body.field(1, UInt64(choices.int(in: 0...8)))
        body.field(2, choices.bool() ? 1 : 0)
      }
    }
  }

  @Sendable static func observation(_ choices: inout Choices) -> NewRecord {
    let node = choices.element(of: nodes)
    if choices.oneIn(8) {
      return event(node, .beatObserved) { $0.field(1, UInt64(choices.int(in: 0...9))) }
    }
    if choices.oneIn(4) {
      let value =
        choices.bool()
        ? EventType.joinRequest(
          capacity: UInt32(choices.int(in: 0...9)), url: choices.element(of: ["", "http://b/ü"]))
        : EventType.leaveRequest(incarnation: UInt64(choices.int(in: 0...20)))
      return NewRecord(key: Array(node.utf8), value: value)
    }
    return event(node, .loadReported) { body in
      let load = UInt64(choices.int(in: 0...9_999))
      for field in 1...4 as ClosedRange<UInt64> { body.field(field, load % (field * 100)) }
    }
  }

  @Sendable static func anything(_ choices: inout Choices) -> NewRecord {
    choices.bool() ? topology(&choices) : message(&choices)
  }

  private static let nodes = ["n1", "n2", "knøde", "a/b"]

  private static func event(
    _ key: String, _ type: EventType, _ fill: (inout WireWriter) -> Void
  ) -> NewRecord {
    var body = WireWriter()
    fill(&body)
    var event = WireWriter()
    event.varint(UInt64(type.rawValue) << 3 | 2)
    event.varint(UInt64(body.bytes.count))
    return NewRecord(key: Array(key.utf8), value: event.bytes + body.bytes)
  }
}
