/// The canonical key bytes of a record: what compaction compares.
///
/// | event | bytes |
/// |---|---|
/// | message | channel, a zero byte, key |
/// | node status | `node/` and the node id |
/// | slot route, delivery cursor | `slot/` and the slot number |
/// | cluster settings | `cluster/` and its name |
/// | observation | the node id |
/// | time passed | a zero byte and `time` |
public enum EventKey: Hashable, Sendable {
  case message(ChannelName, MessageKey)
  case node(NodeID)
  case slot(Slot)
  case cluster(String)
  case observation(NodeID)
  case timePassed

  /// The bytes that go into the log.
  public var bytes: [UInt8] {
    switch self {
    case .message(let channel, let key): Array(channel.text.utf8) + [0] + Array(key.text.utf8)
    case .node(let id): Array("node/\(id.text)".utf8)
    case .slot(let slot): Array("slot/\(slot.number)".utf8)
    case .cluster(let name): Array("cluster/\(name)".utf8)
    case .observation(let id): Array(id.text.utf8)
    case .timePassed: [0] + Array("time".utf8)
    }
  }

  /// Where the channel ends and the key begins in the key bytes at `range`, or nil when this is no message key: when there is no
  /// zero byte, or a channel or a key of no bytes or of more than a name may have.
  public static func separator(_ range: Range<Int>, of bytes: RawSpan) -> Int? {
    for index in range.prefix(ChannelName.bytesMax + 1)
    where bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == 0 {
      let keyLength = range.upperBound - index - 1
      return index > range.lowerBound && 1...MessageKey.bytesMax ~= keyLength ? index : nil
    }
    return nil
  }

  /// The channel and key of a message's key bytes, or nil when they are none.
  public static func message(bytes: some Collection<UInt8>) -> (ChannelName, MessageKey)? {
    guard let zero = bytes.firstIndex(of: 0),
      let channelText = String(validating: bytes[..<zero], as: UTF8.self),
      let keyText = String(
        validating: bytes[bytes.index(after: zero)...], as: UTF8.self),
      let channel = try? ChannelName(channelText), let key = try? MessageKey(keyText)
    else { return nil }
    return (channel, key)
  }
}
