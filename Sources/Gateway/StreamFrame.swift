import EventStorage
import Events

/// What a subscriber of a channel wants to see of an event.
enum FrameShape: Int, CaseIterable, Sendable {
  /// The payload, and an id: the stream of one channel.
  case payload
  /// The envelope, and an id: the stream of one channel with `envelope=true`.
  case envelope
  /// The envelope alone: a stream of several channels, whose ids differ from subscriber to subscriber.
  case shared

  var hasIdentifier: Bool { self != .shared }
}

/// Appends server-sent events, each wrapped as a chunk of HTTP/1.1: the bytes that go onto every socket as they are.
enum StreamFrame {
  /// A message. Without an id it is part of a snapshot, in whose middle nobody can resume.
  static func append(
    _ message: MessageView, _ shape: FrameShape, id: String?, to bytes: inout [UInt8]
  ) {
    appendChunk(to: &bytes) { frame in
      if let id, shape.hasIdentifier { append(field: "id", id.utf8, to: &frame) }
      if shape == .payload {
        append(data: message.payload, to: &frame)
      } else {
        var envelope: [UInt8] = []
        message.appendEnvelope(to: &envelope)
        append(data: envelope, to: &frame)
      }
    }
  }

  /// A deletion or an expiry.
  static func append(
    deleted key: [UInt8], in channel: [UInt8], _ shape: FrameShape, id: String?,
    to bytes: inout [UInt8]
  ) {
    appendChunk(to: &bytes) { frame in
      if let id, shape.hasIdentifier { append(field: "id", id.utf8, to: &frame) }
      append(field: "event", "delete".utf8, to: &frame)
      if shape == .payload {
        append(data: key, to: &frame)
      } else {
        var object: [UInt8] = [UInt8(ascii: "{")]
        JSONText.append(name: "channel", first: true, to: &object)
        JSONText.append(string: channel, to: &object)
        JSONText.append(name: "key", to: &object)
        JSONText.append(string: key, to: &object)
        object.append(UInt8(ascii: "}"))
        append(data: object, to: &frame)
      }
    }
  }

  /// An event of the stream itself: a verdict, `live`, `heartbeat`. Its data is a JSON object.
  static func append(
    event: String, id: String? = nil, data: String, to bytes: inout [UInt8]
  ) {
    appendChunk(to: &bytes) { frame in
      if let id { append(field: "id", id.utf8, to: &frame) }
      append(field: "event", event.utf8, to: &frame)
      append(field: "data", data.utf8, to: &frame)
    }
  }

  /// An id alone: the browser keeps it and dispatches nothing.
  static func append(id: String, to bytes: inout [UInt8]) {
    appendChunk(to: &bytes) { append(field: "id", id.utf8, to: &$0) }
  }

  /// How long a client is to wait before it comes back.
  static func append(retryMilliseconds: Int, to bytes: inout [UInt8]) {
    appendChunk(to: &bytes) { append(field: "retry", "\(retryMilliseconds)".utf8, to: &$0) }
  }

  /// The end of the response.
  static let end = Array("0\r\n\r\n".utf8)

  private static func append(
    field: String, _ value: some Sequence<UInt8>, to frame: inout [UInt8]
  ) {
    frame += field.utf8
    frame += [UInt8(ascii: ":"), UInt8(ascii: " ")]
    frame += value
    frame.append(UInt8(ascii: "\n"))
  }

  /// A line of data for each line of the payload, whichever way its lines end.
  private static func append(data: [UInt8], to frame: inout [UInt8]) {
    frame += "data: ".utf8
    var afterReturn = false
    for byte in data {
      switch byte {
      case UInt8(ascii: "\n") where afterReturn: break
      case UInt8(ascii: "\n"), UInt8(ascii: "\r"): frame += "\ndata: ".utf8
      default: frame.append(byte)
      }
      afterReturn = byte == UInt8(ascii: "\r")
    }
    frame.append(UInt8(ascii: "\n"))
  }

  private static func appendChunk(to bytes: inout [UInt8], _ body: (inout [UInt8]) -> Void) {
    var frame: [UInt8] = []
    body(&frame)
    frame.append(UInt8(ascii: "\n"))
    bytes += String(frame.count, radix: 16).utf8
    bytes += "\r\n".utf8
    bytes += frame
    bytes += "\r\n".utf8
  }
}
