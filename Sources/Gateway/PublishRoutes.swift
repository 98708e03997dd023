import EventStorage
import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

/// Writing: a message, or the deletion of one.
enum PublishRoutes {
  /// `POST /v1/channels/{channel}/messages`
  static func publish(_ request: Request, _ context: RouteContext) async throws -> Response {
    let limits = context.core.limits
    let channel = try RequestTarget.channel(GatewayRoutes.segments(request).path[2])
    let now = WallClock.milliseconds()
    let idempotencyKey = try idempotencyKey(request)
    let id =
      idempotencyKey.map { MessageID.stable(channel: channel, idempotencyKey: $0) }
      ?? MessageID.make(at: now)
    let key = try key(request) ?? MessageKey(id)
    let lifetime = try lifetime(request, limits: limits)
    let contentType = try contentType(request)
    let data = try await body(request, bytesMax: limits.bodyBytesMax)
    try check(data, contentType)
    let message = Message(
      id: id, contentType: contentType, data: data,
      expiresAt: lifetime.map { now + $0 * 1000 } ?? 0)
    let appended = try await append(
      NewRecord(key: EventKey.message(channel, key).bytes, value: message.encoded), at: now,
      idempotencyKey: idempotencyKey == nil ? nil : id, to: channel, context)
    var json: [UInt8] = []
    json.reserveCapacity(160)
    json.append(literal: "{\"id\":")
    JSONWriter.append(id, to: &json)
    appendPlace(channel, key, appended.end, context, to: &json)
    return GatewayRoutes.json(appended.isRepeat ? .ok : .created, json)
  }

  /// `DELETE /v1/channels/{channel}/messages/{key}`
  static func delete(_ request: Request, _ context: RouteContext) async throws -> Response {
    let path = GatewayRoutes.segments(request).path
    let channel = try RequestTarget.channel(path[2])
    let key = try RequestTarget.key(path[4])
    let idempotencyKey = try idempotencyKey(request).map {
      MessageID.stable(channel: channel, idempotencyKey: $0)
    }
    let appended = try await append(
      NewRecord(key: EventKey.message(channel, key).bytes, value: nil),
      at: WallClock.milliseconds(), idempotencyKey: idempotencyKey, to: channel, context)
    var json: [UInt8] = []
    json.append(literal: "{\"deleted\":true")
    appendPlace(channel, key, appended.end, context, to: &json)
    return GatewayRoutes.json(.ok, json)
  }

  private static func append(
    _ record: NewRecord, at time: Int64, idempotencyKey: String?, to channel: ChannelName,
    _ context: RouteContext
  ) async throws -> Appended {
    let partition = context.core.partition(of: channel)
    do {
      return try await context.core.log.append(
        AppendBatch([record], timestamp: time, idempotencyKey: idempotencyKey),
        to: partition.partition)
    } catch {
      if error.isStop, partition.fail(error) {
        context.core.logger.error("no longer appending to \(partition.partition): \(error)")
      }
      throw Problem.log(error)
    }
  }

  private static func appendPlace(
    _ channel: ChannelName, _ key: MessageKey, _ end: Offset, _ context: RouteContext,
    to json: inout [UInt8]
  ) {
    JSONWriter.name("channel", to: &json)
    JSONWriter.append(channel.text, to: &json)
    JSONWriter.name("key", to: &json)
    JSONWriter.append(key.text, to: &json)
    JSONWriter.name("position", to: &json)
    JSONWriter.append(context.core.partition(of: channel).token(end), to: &json)
    json.append(literal: "}")
  }

  // MARK: - What the request says

  private static func key(_ request: Request) throws -> MessageKey? {
    guard let text = request.headers[.signalboxKey] else { return nil }
    do {
      return try MessageKey(checked(text, "Signalbox-Key"))
    } catch let failure as NameFailure {
      throw Problem.name("Signalbox-Key", failure)
    }
  }

  static func idempotencyKey(_ request: Request) throws -> String? {
    guard let text = request.headers[.idempotencyKey] else { return nil }
    if text.isEmpty { throw Problem.headerEmpty("Idempotency-Key") }
    let limit = LogLimits.idempotencyKeyBytesMax
    if text.utf8.count > limit {
      throw Problem.headerTooLong("Idempotency-Key", bytes: text.utf8.count, limit: limit)
    }
    return try checked(text, "Idempotency-Key")
  }

  private static func lifetime(_ request: Request, limits: GatewayLimits) throws -> Int64? {
    guard let text = request.headers[.signalboxTTL] else { return nil }
    guard text.utf8.allSatisfy({ UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }),
      let seconds = Int64(text), 1...limits.ttlSecondsMax ~= seconds
    else { throw Problem.timeToLive(text, limit: limits.ttlSecondsMax) }
    return seconds
  }

  private static func contentType(_ request: Request) throws -> String {
    let text = request.headers[.contentType] ?? ""
    let limit = 255
    if text.utf8.count > limit {
      throw Problem.headerTooLong("Content-Type", bytes: text.utf8.count, limit: limit)
    }
    return try checked(text, "Content-Type")
  }

  /// Bytes that are not UTF-8 arrive as replacement characters.
  private static func checked(_ text: String, _ name: String) throws -> String {
    if text.unicodeScalars.contains("\u{fffd}") { throw Problem.notUTF8(name) }
    return text
  }

  static func body(_ request: Request, bytesMax: Int) async throws -> [UInt8] {
    if let length = request.headers[.contentLength].flatMap({ Int($0) }),
      length > bytesMax
    {
      throw Problem.bodyTooLarge(limit: bytesMax)
    }
    var data: [UInt8] = []
    for try await part in request.body {
      if data.count + part.readableBytes > bytesMax {
        throw Problem.bodyTooLarge(limit: bytesMax)
      }
      data.append(contentsOf: part.readableBytesView)
    }
    return data
  }

  private static func check(_ data: [UInt8], _ contentType: String) throws {
    if MessageJSON.isJSON(contentType.utf8) {
      do throws(JSONFailure) {
        try JSONSyntax.check(data[...])
      } catch {
        throw Problem.json(error)
      }
    } else if MessageJSON.isText(contentType.utf8),
      String(validating: data, as: UTF8.self) == nil
    {
      throw Problem.notUTF8("The body")
    }
  }
}

extension HTTPField.Name {
  static let signalboxKey = known("Signalbox-Key")
  static let signalboxTTL = known("Signalbox-TTL")
  static let idempotencyKey = known("Idempotency-Key")
  static let lastEventID = known("Last-Event-ID")

  private static func known(_ name: String) -> HTTPField.Name {
    guard let field = HTTPField.Name(name) else {
      preconditionFailure("\(name) is not the name of a header")
    }
    return field
  }
}
