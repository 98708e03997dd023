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
    let asked = try PublishRequest.read(request.headers, limits: limits)
    // The id is what the log remembers, so that a copy of the log can remember it too.
    let id = asked.stableID(in: channel) ?? MessageID.make(at: now)
    let key = try asked.key ?? MessageKey(id)
    let data = try await body(request, bytesMax: limits.bodyBytesMax)
    try check(data, asked.contentType)
    let message = Message(
      id: id, contentType: asked.contentType, data: data,
      expiresAt: asked.lifetimeSeconds.map { now + $0 * 1000 } ?? 0)
    let appended = try await append(
      NewRecord(key: EventKey.message(channel, key).bytes, value: message.encoded), at: now,
      idempotencyKey: asked.idempotencyKey == nil ? nil : id, to: channel, context)
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
    let idempotencyKey = try PublishRequest.idempotencyKey(request.headers).map {
      MessageID.stable(channel.text, $0, "delete", key.text)
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

  // MARK: - The payload

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
