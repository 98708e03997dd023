import Events
import Projections

/// A message as a JSON object: channel, key, id, time, contentType, data.
///
/// `data` is the value itself for JSON, a string for text, and base64 with `"encoding":"base64"` beside it for the rest.
enum MessageJSON {
  static func append(_ message: ChannelMessage, in channel: ChannelName, to json: inout [UInt8]) {
    append(
      channel: channel.text.utf8, key: message.key.utf8, id: message.message.id.utf8,
      time: message.time, contentType: message.message.contentType.utf8,
      data: message.message.data[...], to: &json)
  }

  static func append(
    channel: some Collection<UInt8>, key: some Collection<UInt8>, id: some Collection<UInt8>,
    time: Int64, contentType: some Collection<UInt8>, data: ArraySlice<UInt8>,
    to json: inout [UInt8]
  ) {
    json.append(literal: "{\"channel\":")
    JSONWriter.append(utf8: channel, to: &json)
    JSONWriter.name("key", to: &json)
    JSONWriter.append(utf8: key, to: &json)
    JSONWriter.name("id", to: &json)
    JSONWriter.append(utf8: id, to: &json)
    json.append(literal: ",\"time\":\"")
    WallClock.append(time, to: &json)
    json.append(literal: "\",\"contentType\":")
    if contentType.isEmpty {
      json.append(literal: "\"application/octet-stream\"")
    } else {
      JSONWriter.append(utf8: contentType, to: &json)
    }
    // Other writers may put anything into the log, so what they call JSON or text is looked at.
    if isJSON(contentType), (try? JSONSyntax.check(data)) != nil {
      json.append(literal: ",\"data\":")
      json.append(contentsOf: data)
    } else if isText(contentType), String(validating: data, as: UTF8.self) != nil {
      json.append(literal: ",\"data\":")
      JSONWriter.append(utf8: data, to: &json)
    } else {
      json.append(literal: ",\"encoding\":\"base64\",\"data\":\"")
      json.append(base64: data)
      json.append(literal: "\"")
    }
    json.append(literal: "}")
  }

  /// `application/json` and `…+json`, whatever their parameters.
  static func isJSON(_ contentType: some Collection<UInt8>) -> Bool {
    let media = contentType.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
    return equals(media, "application/json")
      || media.count > 5 && equals(media.suffix(5), "+json")
  }

  /// What goes onto a stream as it is: text and JSON.
  static func isText(_ contentType: some Collection<UInt8>) -> Bool {
    contentType.count >= 5 && equals(contentType.prefix(5), "text/") || isJSON(contentType)
  }

  private static func equals(_ bytes: some Collection<UInt8>, _ lowercase: StaticString) -> Bool {
    guard bytes.count == lowercase.utf8CodeUnitCount else { return false }
    var index = 0
    for byte in bytes {
      let folded = UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? byte | 0x20 : byte
      if folded != lowercase.utf8Start[index] { return false }
      index += 1
    }
    return true
  }
}
