/// Reads a text/event-stream as the standard says, as far as Signalbox writes it. Written apart from what writes it.
struct EventStream {
  struct Event {
    var name = "message"
    var id: String?
    var data: [UInt8]?
  }

  private var rest: [UInt8] = []

  mutating func read(_ bytes: [UInt8]) -> [Event] {
    rest += bytes
    var events: [Event] = []
    var event = Event()
    var hasField = false
    var start = 0
    var place = 0
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[start..<end]
      start = end + 1
      guard line.isEmpty else {
        hasField = EventStream.read(line, into: &event) || hasField
        continue
      }
      if hasField { events.append(event) }
      event = Event()
      hasField = false
      place = start
    }
    rest.removeFirst(place)
    return events
  }

  private static func read(_ line: ArraySlice<UInt8>, into event: inout Event) -> Bool {
    guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
      return false
    }
    var value = line[(colon + 1)...]
    if value.first == UInt8(ascii: " ") { value.removeFirst() }
    switch String(decoding: line[..<colon], as: UTF8.self) {
    case "id": event.id = String(decoding: value, as: UTF8.self)
    case "event": event.name = String(decoding: value, as: UTF8.self)
    case "data":
      event.data = event.data.map { $0 + [UInt8(ascii: "\n")] + value } ?? Array(value)
    default: return false
    }
    return true
  }
}
