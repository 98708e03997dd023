package import EventStorage
import Events
import Glibc
import Projections

/// How the messages of a channel look on a stream. Everyone who reads a channel in the same shape gets the same bytes.
package enum StreamShape: UInt8, CaseIterable, Hashable {
  /// One channel: the payload is the data, and every frame has its id.
  case payload
  /// One channel, `envelope=true`: a JSON object is the data, and every frame has its id.
  case envelope
  /// One of several channels: as `envelope`, without ids. A reader's id follows its frames in a block of its own.
  case member

  /// True when `data:` is a JSON object.
  var isEnvelope: Bool { self != .payload }
  /// True when the frames carry ids.
  var hasIDs: Bool { self != .member }
}

/// Appends the frames of a text/event-stream to bytes.
package enum StreamFrames {
  /// The frame of one record, or nothing when it says nothing about a message.
  ///
  /// - Parameter id: the position after the record, where resuming from it is safe.
  package static func append(
    _ row: RecordRow, of batch: [UInt8], as shape: StreamShape, id: String?, to bytes: inout [UInt8]
  ) {
    let span = batch.span.bytes
    guard let zero = EventKey.separator(row.key, of: span) else { return }
    let channel = batch[row.key.lowerBound..<zero]
    let key = batch[(zero + 1)..<row.key.upperBound]
    if row.isTombstone {
      appendDelete(channel: channel, key: key, as: shape, id: id, to: &bytes)
      return
    }
    guard
      case .event(.messagePublished, let body)? = try? EventEnvelope.read(row.value, of: span),
      let fields = try? MessageFields(body: body, of: span)
    else { return }
    let contentType = batch[fields.contentType]
    let data = batch[fields.data]
    if let id { appendID(id, to: &bytes) }
    if shape.isEnvelope {
      var json: [UInt8] = []
      json.reserveCapacity(data.count + 160)
      MessageJSON.append(
        channel: channel, key: key, id: batch[fields.id], time: row.timestamp,
        contentType: contentType, data: data, to: &json)
      appendData(json, to: &bytes)
    } else if MessageJSON.isText(contentType) {
      appendData(data, to: &bytes)
    } else {
      bytes.append(literal: "data: ")
      bytes.append(base64: data)
      bytes.append(literal: "\n")
    }
    bytes.append(literal: "\n")
  }

  /// The frame of a message as a channel holds it, without an id.
  static func append(
    _ message: ChannelMessage, in channel: ChannelName, as shape: StreamShape,
    to bytes: inout [UInt8]
  ) {
    let body = message.message
    if shape.isEnvelope {
      var json: [UInt8] = []
      MessageJSON.append(message, in: channel, to: &json)
      appendData(json, to: &bytes)
    } else if MessageJSON.isText(body.contentType.utf8) {
      appendData(body.data, to: &bytes)
    } else {
      bytes.append(literal: "data: ")
      bytes.append(base64: body.data)
      bytes.append(literal: "\n")
    }
    bytes.append(literal: "\n")
  }

  /// `event: delete`, with the key, or with channel and key as JSON.
  static func appendDelete(
    channel: some Collection<UInt8>, key: some Collection<UInt8>, as shape: StreamShape,
    id: String?, to bytes: inout [UInt8]
  ) {
    if let id { appendID(id, to: &bytes) }
    bytes.append(literal: "event: delete\ndata: ")
    if shape.isEnvelope {
      bytes.append(literal: "{\"channel\":")
      JSONWriter.append(utf8: channel, to: &bytes)
      bytes.append(literal: ",\"key\":")
      JSONWriter.append(utf8: key, to: &bytes)
      bytes.append(literal: "}")
    } else {
      bytes.append(contentsOf: key)
    }
    bytes.append(literal: "\n\n")
  }

  /// A named event whose data is one line of JSON.
  static func append(
    event: StaticString, json: [UInt8], id: String? = nil, to bytes: inout [UInt8]
  ) {
    if let id { appendID(id, to: &bytes) }
    bytes.append(literal: "event: ")
    bytes.append(literal: event)
    bytes.append(literal: "\ndata: ")
    bytes.append(contentsOf: json)
    bytes.append(literal: "\n\n")
  }

  /// A block that moves the reader's id and dispatches nothing.
  static func appendIDBlock(_ id: String, to bytes: inout [UInt8]) {
    appendID(id, to: &bytes)
    bytes.append(literal: "\n")
  }

  private static func appendID(_ id: String, to bytes: inout [UInt8]) {
    bytes.append(literal: "id: ")
    bytes.append(contentsOf: id.utf8)
    bytes.append(literal: "\n")
  }

  /// A `data:` line for every line of the content; lines end at CR, LF and CRLF, as a reader will see it.
  private static func appendData(_ content: some Collection<UInt8>, to bytes: inout [UInt8]) {
    bytes.reserveCapacity(bytes.count + content.count + 160)
    bytes.append(literal: "data: ")
    let isDone: Void? = content.withContiguousStorageIfAvailable { content in
      var rest = UnsafeRawBufferPointer(content)[...]
      while let end = lineEnd(in: rest) {
        bytes.append(contentsOf: rest[..<end])
        bytes.append(literal: "\ndata: ")
        let isPair =
          rest[end] == UInt8(ascii: "\r") && end + 1 < rest.endIndex
          && rest[end + 1] == UInt8(ascii: "\n")
        rest = rest[(end + (isPair ? 2 : 1))...]
      }
      bytes.append(contentsOf: rest)
    }
    if isDone == nil {
      bytes.removeLast(6)
      appendData(Array(content), to: &bytes)
      return
    }
    bytes.append(literal: "\n")
  }

  private static func lineEnd(in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
    guard let base = bytes.base.baseAddress, !bytes.isEmpty else { return nil }
    let start = base + bytes.startIndex
    let feed = memchr(start, CInt(UInt8(ascii: "\n")), bytes.count)
    let limit = feed.map { UnsafeRawPointer($0) - start } ?? bytes.count
    let carriage = memchr(start, CInt(UInt8(ascii: "\r")), limit)
    return (carriage ?? feed).map { UnsafeRawPointer($0) - base }
  }
}
