import EventStorage
import Events
import Projections
import Testing

@Suite struct ChannelMemoryTests {
  @Test func `memory stays within 1.5 times what is held, and within twice after changes`() throws {
    let count = 200_000
    let keys = (0..<count).map { index in
      // 12 to 22 bytes.
      Array("board/\(index % 5_000)\0".utf8) + Array("00000000".utf8.prefix(index % 7))
        + Array("\(index / 5_000 + 1_000)".utf8)
    }
    try #require(Set(keys.map(\.count)).isSubset(of: 12...22))
    let values = [100, 30, 160, 101, 220].map {
      Message(id: "", contentType: "", data: Array(repeating: 7, count: $0)).encoded
    }
    var channels = Channels()
    func put(_ value: (Int) -> Int?, every step: Int = 1) {
      for start in stride(from: 0, to: count, by: LogLimits.batchRecordsMax) {
        let batch = Array(keys[start..<min(count, start + LogLimits.batchRecordsMax)])
        let picks = stride(from: 0, to: batch.count, by: step).map { ($0, value(start + $0)) }
        Batch(keys: batch, values: values, picks).lend(to: &channels)
      }
    }
    put { _ in 0 }
    #expect(channels.count == count)
    #expect(channels.memoryBytes * 2 <= channels.heldBytes * 3, "\(channels.memoryBytes)")

    // Other sizes: shorter, longer, nearly the same.
    put { $0 % values.count }
    #expect(channels.memoryBytes <= channels.heldBytes * 2, "\(channels.memoryBytes)")
    put { ($0 + 1) % values.count }
    #expect(channels.memoryBytes <= channels.heldBytes * 2, "\(channels.memoryBytes)")

    put({ _ in nil }, every: 2)
    #expect(channels.count == count / 2)
    #expect(channels.memoryBytes <= channels.heldBytes * 2, "\(channels.memoryBytes)")

    put { _ in nil }
    #expect(channels.count == 0)
    #expect(channels.heldBytes == 0)
    #expect(channels.memoryBytes < 2 << 20, "\(channels.memoryBytes)")
  }

  @Test func `pages of large messages are used again`() throws {
    let keys = [Array("a\0b".utf8), Array("a\0c".utf8)]
    let values = [70_000, 80_000].map {
      Message(id: "", contentType: "", data: Array(repeating: 7, count: $0)).encoded
    }
    let batch = Batch(
      keys: keys, values: values, (0..<1_000).map { ($0 / 2 % 2, $0 % 2) })
    var channels = Channels()
    batch.lend(to: &channels)
    let memory = channels.memoryBytes
    for _ in 0..<10 { batch.lend(to: &channels) }
    #expect(channels.memoryBytes == memory)
    #expect(channels.count == 2)
  }

  @Test func `updates of medium size do not leave memory behind`() throws {
    let keys = (0..<64).map { Array("a\0\($0)".utf8) }
    let values = [5_000, 9_000, 20_000, 33_000, 60_000].map {
      Message(id: "", contentType: "", data: Array(repeating: 7, count: $0)).encoded
    }
    var random = Seeded(8)
    var channels = Channels()
    for _ in 0..<40 {
      Batch(
        keys: keys, values: values,
        (0..<200).map { _ in (random.below(keys.count), random.below(values.count)) }
      ).lend(to: &channels)
      #expect(channels.memoryBytes <= channels.heldBytes * 2 + (1 << 20))
    }
  }
}
