import EventStorage
import Events
import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// Publishing to channels and reading them.
struct ChannelService: Sendable {
  let log: any EventLog
  let partitions: [LivePartition]
  let limits: GatewayLimits
  /// Milliseconds since 1970.
  let now: @Sendable () -> Int64

  static let keyField = HTTPField.Name("Signalbox-Key")
  static let lifeField = HTTPField.Name("Signalbox-TTL")
  static let idempotencyField = HTTPField.Name("Idempotency-Key")

  var bodyTooLarge: Problem {
    Problem(
      status: .contentTooLarge, title: "The message is too large",
      detail: "a message has at most \(limits.bodyBytesMax) bytes (bodyBytesMax)")
  }

  func publish(_ request: Request, to channelText: String) async throws -> Response {
    let channel = try channel(channelText)
    let idempotencyKey = field(ChannelService.idempotencyField, of: request)
    if let idempotencyKey,
      !(1...LogLimits.idempotencyKeyBytesMax).contains(idempotencyKey.utf8.count)
    {
      throw Problem.badRequest(
        "Idempotency-Key has \(idempotencyKey.utf8.count) bytes; it must have 1 to \(LogLimits.idempotencyKeyBytesMax)"
      )
    }
    let now = now()
    // A retry with the same idempotency key is answered with the same id.
    let id =
      idempotencyKey.map { MessageID.make(of: channelText, idempotencyKey: $0) }
      ?? MessageID.make(at: now)
    let key = try field(ChannelService.keyField, of: request).map { try self.key($0) } ?? key(id)
    let expiresAt = try life(of: request).map { now + $0 * 1000 } ?? 0
    let body = try await request.body.collect(upTo: limits.bodyBytesMax)
    let contentType = request.headers[.contentType] ?? ""
    let message = Message(
      id: id, contentType: contentType, data: Array(buffer: body), expiresAt: expiresAt)
    try ChannelService.check(message)
    let partition = partition(of: channel)
    let appended = try await log.append(
      AppendBatch(
        [NewRecord(key: EventKey.message(channel, key).bytes, value: message.encoded)],
        timestamp: now,
        idempotencyKey: idempotencyKey.map { "\(channel.text)\u{0}\($0)" }),
      to: partition)
    var answer: [UInt8] = [UInt8(ascii: "{")]
    JSONText.append(name: "id", first: true, to: &answer)
    JSONText.append(string: id.utf8, to: &answer)
    JSONText.append(name: "channel", to: &answer)
    JSONText.append(string: channel.text.utf8, to: &answer)
    JSONText.append(name: "key", to: &answer)
    JSONText.append(string: key.text.utf8, to: &answer)
    return self.answer(appended.isRepeat ? .ok : .created, &answer, partition, appended.end)
  }

  func delete(_ keyText: String, in channelText: String) async throws -> Response {
    let channel = try channel(channelText)
    let key = try key(keyText)
    let partition = partition(of: channel)
    let appended = try await log.append(
      AppendBatch(
        [NewRecord(key: EventKey.message(channel, key).bytes, value: nil)], timestamp: now()),
      to: partition)
    var answer: [UInt8] = [UInt8(ascii: "{")]
    JSONText.append(name: "channel", first: true, to: &answer)
    JSONText.append(string: channel.text.utf8, to: &answer)
    JSONText.append(name: "key", to: &answer)
    JSONText.append(string: key.text.utf8, to: &answer)
    return self.answer(.ok, &answer, partition, appended.end)
  }

  func read(
    _ channelText: String, _ target: RequestTarget, on eventLoop: any EventLoop
  ) async throws -> Response {
    let channel = try channel(channelText)
    let partition = partition(of: channel)
    let live = partitions[partition.index]
    if let token = target["min"] { try await wait(for: token, live, on: eventLoop) }
    let (messages, position) = live.messages(in: channel)
    var answer: [UInt8] = [UInt8(ascii: "{")]
    JSONText.append(name: "channel", first: true, to: &answer)
    JSONText.append(string: channel.text.utf8, to: &answer)
    JSONText.append(name: "messages", to: &answer)
    answer.append(UInt8(ascii: "["))
    for (index, message) in messages.enumerated() {
      if index > 0 { answer.append(UInt8(ascii: ",")) }
      MessageView(channel: channel, message).appendEnvelope(to: &answer)
    }
    answer.append(UInt8(ascii: "]"))
    return self.answer(.ok, &answer, partition, position)
  }

  /// Law 27: an answer contains the position, or says how far this instance is.
  private func wait(
    for token: String, _ live: LivePartition, on eventLoop: any EventLoop
  ) async throws {
    let position: Position
    do throws(TokenFailure) {
      position = try Position(token: token)
    } catch {
      throw Problem.badRequest(
        "min is no position of Signalbox (\(error)); pass one as it was answered")
    }
    guard position.log == live.identity else {
      throw Problem(
        status: .conflict, title: "The position is of another log",
        detail: "min was answered by log \(position.log); this is log \(live.identity)")
    }
    // A position in other partitions says nothing about this channel.
    guard let offset = position[live.partition] else { return }
    let deadline = NIODeadline.now() + .seconds(Int64(limits.minWaitSeconds))
    let reached = try await live.reached(offset, by: deadline, on: eventLoop).get()
    guard reached >= offset else {
      throw Problem(
        status: .gatewayTimeout, title: "The position is not reached yet",
        detail:
          "\(live.partition) is at offset \(reached) after \(limits.minWaitSeconds) seconds; min is \(offset); try again",
        retryAfterSeconds: 1)
    }
  }

  private func answer(
    _ status: HTTPResponse.Status, _ bytes: inout [UInt8], _ partition: Partition, _ end: Offset
  ) -> Response {
    JSONText.append(name: "position", to: &bytes)
    JSONText.append(string: partitions[partition.index].token(end).utf8, to: &bytes)
    bytes.append(UInt8(ascii: "}"))
    return Response(
      status: status, headers: [.contentType: "application/json", .cacheControl: "no-store"],
      body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
  }

  private func partition(of channel: ChannelName) -> Partition {
    Partition(.messages, Slot(channel: channel).partition(of: partitions.count))
  }

  private func channel(_ text: String) throws(Problem) -> ChannelName {
    do throws(NameFailure) { return try ChannelName(text) } catch {
      throw Problem(error, what: "the channel's name")
    }
  }

  private func key(_ text: String) throws(Problem) -> MessageKey {
    do throws(NameFailure) { return try MessageKey(text) } catch {
      throw Problem(error, what: "the message's key")
    }
  }

  private func field(_ name: HTTPField.Name?, of request: Request) -> String? {
    name.flatMap { request.headers[$0] }
  }

  private func life(of request: Request) throws(Problem) -> Int64? {
    guard let text = field(ChannelService.lifeField, of: request) else { return nil }
    guard let seconds = Int64(text), (1...Int64(limits.ttlSecondsMax)).contains(seconds) else {
      throw .badRequest(
        "Signalbox-TTL is “\(text)”; it must be 1 to \(limits.ttlSecondsMax) seconds")
    }
    return seconds
  }

  /// What says it is JSON is passed on as JSON, so it must be.
  private static func check(_ message: Message) throws(Problem) {
    let view = MessageView(
      channel: [], key: [], id: [], contentType: Array(message.contentType.utf8),
      data: message.data, time: 0)
    switch view.form {
    case .json:
      do {
        _ = try JSONSerialization.jsonObject(with: Data(message.data), options: .fragmentsAllowed)
      } catch {
        throw .badRequest("the message is not the JSON that its Content-Type says: \(error)")
      }
    case .text:
      guard String(validating: message.data, as: UTF8.self) != nil else {
        throw .badRequest("the message is not UTF-8; send it as application/octet-stream")
      }
    case .base64: break
    }
  }
}
