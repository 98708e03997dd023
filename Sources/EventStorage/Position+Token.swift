/// Why a text is not a position.
public enum TokenFailure: Error, Equatable, Sendable {
  /// Longer than `Position.tokenBytesMax`.
  case tooLong
  /// Not base64url, cut short, or with something left over.
  case malformed
  /// Written by a later version of Signalbox.
  case unknownVersion(UInt8)
}

/// The text of a position: SSE ids, `min=`, and what a write answers.
///
/// base64url, without padding, of: version 1, the log's identity (8 bytes, little-endian), then for each partition
/// in order one byte of topic, and its index and offset as varints.
extension Position {
  /// The longest token that is read. 256 partitions fit.
  public static let tokenBytesMax = 4096

  /// The text of this position.
  public var token: String {
    var bytes: [UInt8] = [1]
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: log.rawValue >> shift))
    }
    for (partition, offset) in sorted {
      bytes.append(partition.topic.rawValue)
      appendVarint(UInt64(partition.index), to: &bytes)
      appendVarint(UInt64(bitPattern: offset.rawValue), to: &bytes)
    }
    return Base64URL.encode(bytes)
  }

  /// Reads what `token` writes.
  public init(token: String) throws(TokenFailure) {
    guard token.utf8.count <= Position.tokenBytesMax else { throw .tooLong }
    guard let bytes = Base64URL.decode(token), let version = bytes.first else {
      throw .malformed
    }
    guard version == 1 else { throw .unknownVersion(version) }
    guard bytes.count >= 9 else { throw .malformed }
    var identity: UInt64 = 0
    for index in 0..<8 { identity |= UInt64(bytes[1 + index]) << UInt64(8 * index) }
    var rest = bytes[9...]
    var offsets: [Partition: Offset] = [:]
    while let code = rest.popFirst() {
      guard let topic = Topic(rawValue: code), let index = popVarint(&rest),
        index < UInt64(LogLayout.partitionsMax), let offset = popVarint(&rest),
        offset <= UInt64(Int64.max),
        offsets.updateValue(
          Offset(Int64(offset)), forKey: Partition(topic, Int(index))) == nil
      else { throw .malformed }
    }
    self.init(log: LogIdentity(identity), offsets: offsets)
  }
}

private func appendVarint(_ value: UInt64, to bytes: inout [UInt8]) {
  var rest = value
  while rest >= 0x80 {
    bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
    rest >>= 7
  }
  bytes.append(UInt8(rest))
}

private func popVarint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
  var value: UInt64 = 0
  for shift in stride(from: UInt64(0), to: 63, by: 7) {
    guard let byte = bytes.popFirst() else { return nil }
    value |= UInt64(byte & 0x7f) << shift
    if byte < 0x80 { return value }
  }
  return nil
}
