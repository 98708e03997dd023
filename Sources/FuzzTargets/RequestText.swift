import Events
import Gateway
import HTTPTypes
import PropertyTesting

/// What a request says, in a target and headers: refused with a problem document, or within the limits. A target on the first line, then
/// headers as `name: value`.
enum RequestText {
  private static let limits = GatewayLimits()

  @Sendable static func test(_ bytes: [UInt8]) throws {
    let text = String(decoding: bytes, as: UTF8.self)
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var headers = HTTPFields()
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":"), let name = HTTPField.Name(String(line[..<colon]))
      else { continue }
      headers.append(HTTPField(name: name, value: String(line[line.index(after: colon)...])))
    }
    try checkStream(lines.first ?? "")
    try checkPublish(headers)
    try checkName(text[...])
    var date: [UInt8] = []
    let time = bytes.prefix(8).reduce(Int64(bytes.count)) { $0 &* 251 &+ Int64($1) }
    WallClock.append(time, to: &date)
    try hold(date.count, equals: "2013-01-31T17:05:00.000Z".utf8.count)
    try hold(
      WallClock.httpDate(time).utf8.count, equals: "Thu, 31 Jan 2013 17:05:00 GMT".utf8.count)
  }

  private static func checkStream(_ target: Substring) throws {
    guard
      let request = try refusable({ () throws(Problem) in
        try StreamRequest.read(target: target, lastEventID: nil, origin: nil, limits: limits)
      }) ?? nil
    else { return }
    try hold(1...limits.channelsPerStreamMax ~= request.channels.count, "too many channels")
    try hold(Set(request.channels).count, equals: request.channels.count, "channels twice")
    try hold(request.lastEventID != "", "an empty id")
    // The same channels, written as a target again, are the same request.
    let query = request.channels.map { "channel=\(escaped($0.text))" }.joined(separator: "&")
    let again = try StreamRequest.read(
      target: "/v1/events?\(query)", lastEventID: request.lastEventID, origin: nil, limits: limits)
    try hold(again?.channels, equals: request.channels)
  }

  private static func checkPublish(_ headers: HTTPFields) throws {
    guard
      let request = try refusable({ () throws(Problem) in
        try PublishRequest.read(headers, limits: limits)
      })
    else { return }
    try hold(request.contentType.utf8.count <= PublishRequest.contentTypeBytesMax, "too long")
    try hold(request.lifetimeSeconds.map { 1...limits.ttlSecondsMax ~= $0 } ?? true, "a lifetime")
    try hold(request.idempotencyKey.map { 1...255 ~= $0.utf8.count } ?? true, "a key")
  }

  private static func checkName(_ text: Substring) throws {
    let decoded = try refusable { () throws(Problem) in
      try RequestTarget.decode(text, what: "The text")
    }
    if let decoded {
      try hold(try RequestTarget.decode(escaped(decoded)[...], what: "The text"), equals: decoded)
    }
    let channel = try refusable { () throws(Problem) in try RequestTarget.channel(text) }
    if let channel {
      try hold(try RequestTarget.channel(escaped(channel.text)[...]), equals: channel)
    }
    let key = try refusable { () throws(Problem) in try RequestTarget.key(text) }
    if let key { try hold(try RequestTarget.key(escaped(key.text)[...]), equals: key) }
  }

  /// What is read, or nil when it was refused with a document that can be read.
  private static func refusable<Value>(_ read: () throws(Problem) -> Value) throws -> Value? {
    do throws(Problem) {
      return try read()
    } catch {
      try JSONSyntax.check(error.json[...])
      return nil
    }
  }

  private static func escaped(_ text: String) -> String {
    text.utf8.reduce(into: "") { $0 += ($1 < 16 ? "%0" : "%") + String($1, radix: 16) }
  }
}
