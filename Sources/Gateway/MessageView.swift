import Events
import Foundation
import Projections

/// A message as readers get it: text and JSON as they are, anything else in base64.
struct MessageView {
  var channel: [UInt8]
  var key: [UInt8]
  var id: [UInt8]
  var contentType: [UInt8]
  var data: [UInt8]
  var time: Int64

  init(channel: ChannelName, _ held: ChannelMessage) {
    self.channel = Array(channel.text.utf8)
    key = Array(held.key.utf8)
    id = Array(held.message.id.utf8)
    contentType = Array(held.message.contentType.utf8)
    data = held.message.data
    time = held.time
  }

  init(
    channel: [UInt8], key: [UInt8], id: [UInt8], contentType: [UInt8], data: [UInt8], time: Int64
  ) {
    self.channel = channel
    self.key = key
    self.id = id
    self.contentType = contentType
    self.data = data
    self.time = time
  }

  /// How a payload of a media type goes into text.
  enum Form {
    case json
    case text
    case base64
  }

  var form: Form {
    let type = contentType.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
      .map { UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 ? $0 + 32 : $0 }
    if type.elementsEqual("application/json".utf8) || type.suffix(5).elementsEqual("+json".utf8) {
      return .json
    }
    return type.starts(with: "text/".utf8) ? .text : .base64
  }

  /// The payload as it stands on a stream of its own.
  var payload: [UInt8] {
    form == .base64 ? Array(Data(data).base64EncodedData()) : data
  }

  /// The JSON object with everything about the message.
  func appendEnvelope(to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "{"))
    JSONText.append(name: "channel", first: true, to: &bytes)
    JSONText.append(string: channel, to: &bytes)
    JSONText.append(name: "key", to: &bytes)
    JSONText.append(string: key, to: &bytes)
    JSONText.append(name: "id", to: &bytes)
    JSONText.append(string: id, to: &bytes)
    JSONText.append(name: "time", to: &bytes)
    bytes.append(UInt8(ascii: "\""))
    Timestamp.append(milliseconds: time, to: &bytes)
    bytes.append(UInt8(ascii: "\""))
    JSONText.append(name: "contentType", to: &bytes)
    JSONText.append(string: contentType, to: &bytes)
    if form == .base64 {
      JSONText.append(name: "encoding", to: &bytes)
      JSONText.append(string: "base64".utf8, to: &bytes)
    }
    JSONText.append(name: "data", to: &bytes)
    // What was published as JSON was checked to be JSON, so it stands as it is.
    if form == .json {
      bytes += data
    } else {
      JSONText.append(string: payload, to: &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }
}
