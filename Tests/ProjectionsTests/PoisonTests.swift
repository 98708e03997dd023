import EventStorage
import Events
import Projections
import SwiftProtobuf
import Testing

/// Law 10: what cannot be used is counted and kept.
@Suite struct PoisonTests {
  @Test func `the last poison records are kept, and no more`() {
    var channels = Channels()
    for offset in 0..<250 {
      var told = Told("a\0k\(offset)", [0x0a])
      told.offset = Int64(offset)
      channels.hear([told])
    }
    #expect(channels.counts.poison == 250)
    let kept = channels.poisoned.records
    #expect(kept.map(\.offset.rawValue) == Array(150..<250))
    #expect(kept.last?.key == Array("a\0k249".utf8))
  }

  @Test func `of a key as long as a record its beginning is kept`() {
    var channels = Channels()
    channels.hear([Told(String(repeating: "x", count: 100_000), [0x0a])])
    #expect(channels.poisoned.records.map(\.key.count) == [PoisonRecord.keyBytesMax])
  }

  /// As proto3 demands of a string; swift-protobuf refuses them too.
  @Test(arguments: [[0x0a, 3, 0x0a, 1, 0xff], [0x0a, 4, 0x12, 2, 0xc3, 0x28]] as [[UInt8]])
  func `a message with text that is none is poison and takes its key away`(value: [UInt8]) throws {
    #expect(throws: (any Error).self) { try WireEvent(serializedBytes: value) }
    var channels = Channels()
    let message = Message(id: "i", contentType: "", data: []).encoded
    channels.hear([Told("a\0k", message), Told("a\0k", value)])
    #expect(channels.count == 0)
    #expect(channels.counts.poison == 1)
  }

  @Test(
    arguments: [[97, 0, 0xff], [0xc3, 0, 97], [97, 0, 98, 0, 99], [97, 10, 0, 98]] as [[UInt8]])
  func `a message under a key that is no text is poison`(key: [UInt8]) {
    var channels = Channels()
    var told = Told("", Message(id: "i", contentType: "", data: []).encoded)
    told.key = key
    channels.hear([told])
    #expect(channels.count == 0)
    #expect(channels.counts.poison == 1)
    #expect(channels.poisoned.records.map(\.key) == [key])
  }
}
