import EventStorage
import Events

/// What a record means to whoever follows its channel: a message or a deletion.
struct RecordChange {
  let channel: [UInt8]
  private let key: [UInt8]
  /// Nil for a deletion.
  private let message: MessageView?

  /// Nil for records that are of no channel. A value that cannot be used takes its key away, as in the fold.
  init?(_ row: RecordRow, of bytes: RawSpan) {
    guard let separator = EventKey.separator(row.key, of: bytes) else { return nil }
    func copy(_ range: Range<Int>) -> [UInt8] {
      bytes.extracting(range).withUnsafeBytes { Array($0) }
    }
    channel = copy(row.key.lowerBound..<separator)
    key = copy(separator + 1..<row.key.upperBound)
    if !row.isTombstone,
      case .event(.messagePublished, let body)? = try? EventEnvelope.read(row.value, of: bytes),
      let fields = try? MessageFields(body: body, of: bytes)
    {
      message = MessageView(
        channel: channel, key: key, id: copy(fields.id), contentType: copy(fields.contentType),
        data: copy(fields.data), time: row.timestamp)
    } else {
      message = nil
    }
  }

  func append(_ shape: FrameShape, id: String?, to bytes: inout [UInt8]) {
    if let message {
      StreamFrame.append(message, shape, id: id, to: &bytes)
    } else {
      StreamFrame.append(deleted: key, in: channel, shape, id: id, to: &bytes)
    }
  }
}
