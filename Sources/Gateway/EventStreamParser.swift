/// Reads `text/event-stream` as the HTML standard says, in chunks of any size.
package struct EventStreamParser {
  package struct Event: Equatable {
    package var name: String
    package var id: String?
    package var data: String
  }

  /// Where a reconnect should go on.
  package private(set) var lastEventID: String?
  /// What the server asked a client to wait before it comes back.
  package private(set) var retry: Duration?
  private var line: [UInt8] = []
  private var afterReturn = false
  private var name = ""
  private var id: String?
  private var data: [String] = []

  package init() {}

  /// The events that these bytes complete.
  package mutating func feed(_ bytes: some Sequence<UInt8>) -> [Event] {
    var events: [Event] = []
    for byte in bytes {
      defer { afterReturn = byte == UInt8(ascii: "\r") }
      switch byte {
      case UInt8(ascii: "\n") where afterReturn: break
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
        if let event = endLine() { events.append(event) }
      default: line.append(byte)
      }
    }
    return events
  }

  private mutating func endLine() -> Event? {
    defer { line.removeAll(keepingCapacity: true) }
    if line.isEmpty { return dispatch() }
    let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? line.endIndex
    let field = String(decoding: line[..<colon], as: UTF8.self)
    var content = line[colon...].dropFirst()
    if content.first == UInt8(ascii: " ") { content = content.dropFirst() }
    let value = String(decoding: content, as: UTF8.self)
    switch field {
    case "event": name = value
    case "data": data.append(value)
    case "id" where !value.utf8.contains(0): id = value
    // Digits alone: a sign is none, and a wait of less than nothing is no wait.
    case "retry" where value.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }:
      retry = Int(value).map { .milliseconds($0) } ?? retry
    default: break
    }
    return nil
  }

  private mutating func dispatch() -> Event? {
    defer {
      name = ""
      data = []
    }
    lastEventID = id ?? lastEventID
    if data.isEmpty { return nil }
    return Event(
      name: name.isEmpty ? "message" : name, id: lastEventID, data: data.joined(separator: "\n"))
  }
}
