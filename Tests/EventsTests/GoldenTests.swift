import Events
import FoundationEssentials
import PropertyTesting
import SwiftProtobuf
import Testing

@Suite struct GoldenTests {
  /// What a lazy reader finds, as the generated type has it. Nil for events that nothing folds yet.
  private func lazily(_ value: [UInt8]) throws -> WireEvent? {
    let bytes = value.span.bytes
    guard case .event(let type, let body) = try EventEnvelope.read(0..<value.count, of: bytes)
    else { return nil }
    var event = WireEvent()
    func text(_ range: Range<Int>) -> String { String(decoding: value[range], as: UTF8.self) }
    switch type {
    case .messagePublished:
      let fields = try MessageFields(body: body, of: bytes)
      event.messagePublished.id = text(fields.id)
      event.messagePublished.contentType = text(fields.contentType)
      event.messagePublished.data = .init(value[fields.data])
      event.messagePublished.expiresAtMs = fields.expiresAt
    case .nodeStatus:
      let fields = try NodeStatusFields(body: body, of: bytes)
      event.nodeStatus.state = .init(rawValue: Int(fields.state)) ?? .unspecified
      event.nodeStatus.incarnation = fields.incarnation
      event.nodeStatus.capacity = fields.capacity
      event.nodeStatus.url = text(fields.url)
    case .slotRoute:
      let fields = try SlotRouteFields(body: body, of: bytes)
      event.slotRoute.node = text(fields.node)
      event.slotRoute.epoch = fields.epoch
    case .clusterSettings:
      let fields = try ClusterSettingsFields(body: body, of: bytes)
      event.clusterSettings.partitions = fields.partitions
      event.clusterSettings.frozen = fields.isFrozen
    case .loadReported:
      let fields = try LoadFields(body: body, of: bytes)
      event.loadReported.incarnation = fields.incarnation
      event.loadReported.inFlight = fields.inFlight
      event.loadReported.latencyUs = fields.latencyMicroseconds
      event.loadReported.capacity = fields.capacity
    default: return nil
    }
    return event
  }

  @Test func `there is a golden event of every type`() throws {
    let types = try Golden.events.map { event -> EventType? in
      let envelope = try EventEnvelope.read(0..<event.value.count, of: event.value.span.bytes)
      guard case .event(let type, _) = envelope else { return nil }
      return type
    }
    #expect(Set(types) == Set(EventType.allCases))
  }

  /// Law 12: bytes that were released are read for ever.
  @Test(arguments: Golden.events)
  func `golden bytes are read and written again as they are`(event: Golden.Event) throws {
    let decoded = try WireEvent(serializedBytes: event.value)
    #expect(try decoded.serializedBytes() as [UInt8] == event.value)
    if let lazily = try lazily(event.value) { #expect(lazily == decoded) }
  }

  @Test(arguments: Golden.events)
  func `every truncation and every flipped bit is an error or an event, never a trap`(
    event: Golden.Event
  ) {
    for count in event.value.indices { _ = try? lazily(Array(event.value[..<count])) }
    for bit in 0..<event.value.count * 8 {
      var value = event.value
      value[bit / 8] ^= 1 << UInt8(bit % 8)
      _ = try? lazily(value)
    }
  }

  @Test func `the lazy readers agree with the generated types`() throws {
    try forAll("lazy readers agree with generated types") { choices in
      let event = GoldenTests.event(&choices)
      choices.note("\(event)")
      let bytes: [UInt8] = try event.serializedBytes()
      try hold(try lazily(bytes) == event, "read in place")
      guard case .messagePublished(let message)? = event.body else { return }
      let ours = Message(
        id: message.id, contentType: message.contentType, data: Array(message.data),
        expiresAt: message.expiresAtMs)
      try hold(ours.encoded, equals: bytes)
    }
  }

  private static func event(_ choices: inout Choices) -> WireEvent {
    func text() -> String { choices.text(of: "aß🚆/Z ø", atMost: 40) }
    func number<Number: FixedWidthInteger>(_: Number.Type = Number.self) -> Number {
      choices.number(in: .min ... .max, edges: true)
    }
    var event = WireEvent()
    switch choices.int(in: 0...4) {
    case 0:
      event.messagePublished.id = text()
      event.messagePublished.contentType = text()
      event.messagePublished.data = .init(choices.bytes(atMost: 300, mean: 100))
      event.messagePublished.expiresAtMs = choices.bool() ? 0 : number()
    case 1:
      event.nodeStatus.state = .init(rawValue: choices.int(in: 0...4)) ?? .unspecified
      event.nodeStatus.incarnation = number()
      event.nodeStatus.capacity = number()
      event.nodeStatus.url = text()
    case 2:
      event.slotRoute.node = text()
      event.slotRoute.epoch = number()
    case 3:
      event.clusterSettings.partitions = number()
      event.clusterSettings.frozen = choices.bool()
    default:
      event.loadReported.incarnation = number()
      event.loadReported.inFlight = number()
      event.loadReported.latencyUs = number()
      event.loadReported.capacity = number()
    }
    return event
  }

  /// In an id, a content type, a URL, the name of an owner: cut off, overlong, a surrogate, no start.
  @Test(arguments: [[0x0a, 0x0a], [0x0a, 0x12], [0x12, 0x22], [0x1a, 0x0a]] as [[UInt8]])
  func `text that is none is refused, as the generated types refuse it`(field: [UInt8]) throws {
    let wrong: [[UInt8]] = [[0xc3], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0x80]]
    for text in wrong + wrong.map({ Array("twelve bytes".utf8) + $0 }) {
      let body = [field[1], UInt8(text.count)] + text
      let value = [field[0], UInt8(body.count)] + body
      #expect(throws: (any Error).self) { try WireEvent(serializedBytes: value) }
      #expect(throws: DecodeFailure.notText) { try lazily(value) }
    }
  }

  @Test func `a state of a later version is none that is known`() throws {
    for state in [5, 255, 256, Int(Int32.max), -1] {
      var event = WireEvent()
      event.nodeStatus.state = .UNRECOGNIZED(state)
      let value: [UInt8] = try event.serializedBytes()
      let fields = try NodeStatusFields(body: 2..<value.count, of: value.span.bytes)
      #expect(fields.state == UInt8(exactly: state) ?? 255)
    }
  }

  @Test func `time passed is written as swift-protobuf writes it`() throws {
    var event = WireEvent()
    event.timePassed = .init()
    #expect(TimePassed.encoded == (try event.serializedBytes() as [UInt8]))
  }

  /// Law 11.
  @Test func `a type of a later version is unknown, and a known one beside it is found`() throws {
    let later: [UInt8] = [0x82, 0x01, 0x01, 0x00]
    #expect(try EventEnvelope.read(0..<later.count, of: later.span.bytes) == .unknown)
    let both = later + TimePassed.encoded
    #expect(
      try EventEnvelope.read(0..<both.count, of: both.span.bytes)
        == .event(.timePassed, body: both.count..<both.count))
  }

  /// swift-protobuf merges two bodies of one type, and reads both when they differ: in place that cannot be done.
  @Test func `a second body is refused`() throws {
    let message = Message(id: "a", contentType: "", data: []).encoded
    for second in [message, TimePassed.encoded] {
      let value = message + second
      #expect(throws: DecodeFailure.malformed) {
        try EventEnvelope.read(0..<value.count, of: value.span.bytes)
      }
    }
  }
}
