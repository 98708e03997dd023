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
    precondition(
      0 <= range.lowerBound && range.upperBound <= bytes.byteCount, "\(range) is not in the bytes")
    let end = min(range.upperBound, range.lowerBound &+ (ChannelName.bytesMax + 1))
    guard let index = firstZero(range.lowerBound, end, of: bytes) else { return nil }
    let keyLength = range.upperBound &- index &- 1
    return index > range.lowerBound && keyLength > 0 && keyLength <= MessageKey.bytesMax
      ? index : nil
  }

  /// Eight bytes at a time: every key of every replay is looked through. The loads are unchecked: their offsets are below `end`.
  @inline(__always)
  private static func firstZero(_ start: Int, _ end: Int, of bytes: RawSpan) -> Int? {
    var position = start
    while position &+ 8 <= end {
      let word = UInt64(
        littleEndian: bytes.unsafeLoadUnaligned(
          fromUncheckedByteOffset: position, as: UInt64.self))
      // The lowest high bit that is set marks the first zero byte.
      let zeros = (word &- 0x0101_0101_0101_0101) & ~word & 0x8080_8080_8080_8080
      if zeros != 0 { return position &+ zeros.trailingZeroBitCount &>> 3 }
      position &+= 8
    }
    while position < end {
      if bytes.unsafeLoad(fromUncheckedByteOffset: position, as: UInt8.self) == 0 {
        return position
      }
      position &+= 1
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
