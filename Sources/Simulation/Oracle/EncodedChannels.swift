internal import Projections

/// The canonical encoding of a `Channels` state, summed up as `ChannelModel` does it.
struct EncodedChannels: Equatable {
  var logTime: Int64
  var count: Int
  var sum: UInt64 = 0

  init(_ state: Channels) {
    var bytes: [UInt8] = []
    state.encode(into: &bytes)
    logTime = EncodedChannels.number(bytes, at: 0, Int64.self)
    count = Int(EncodedChannels.number(bytes, at: 8, UInt64.self))
    var place = 16
    while place + 22 <= bytes.count {
      let offset = EncodedChannels.number(bytes, at: place, Int64.self)
      let timestamp = EncodedChannels.number(bytes, at: place + 8, Int64.self)
      let key =
        place + 22..<place + 22 + Int(EncodedChannels.number(bytes, at: place + 16, UInt16.self))
      let body =
        key.upperBound..<key.upperBound
        + Int(EncodedChannels.number(bytes, at: place + 18, UInt32.self))
      sum &+= ChannelModel.hash(
        offset: offset, timestamp: timestamp, key: Array(bytes[key]), body: Array(bytes[body]))
      place = body.upperBound
    }
  }

  private static func number<Number: FixedWidthInteger & BitwiseCopyable>(
    _ bytes: [UInt8], at place: Int, _ type: Number.Type
  ) -> Number {
    Number(littleEndian: bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: place, as: type))
  }
}
