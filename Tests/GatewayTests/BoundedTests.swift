import EventStorage
import Events
import Gateway
import NIOEmbedded
import Projections
import Testing

/// Law 31 without sockets: what a stream is given and its reader has not taken.
@Suite struct BoundedTests {
  /// A reader that takes nothing. One that hides what waits is a bug planted on purpose: the gateway believes that it reads.
  private final class StuckReader: DrivenOutput {
    let hidesBacklog: Bool
    private(set) var waiting = 0
    private(set) var most = 0

    init(hidesBacklog: Bool) { self.hidesBacklog = hidesBacklog }

    var pendingBytes: Int { hidesBacklog ? 0 : waiting }
    var isOpen: Bool { true }
    func write(_ frames: [UInt8]) {
      waiting += frames.count
      most = max(most, waiting)
    }
    func takeAll() { waiting = 0 }
  }

  private struct Feed: RecordSink {
    let streams: DrivenStreams
    var partition = 0
    mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
      streams.apply(bytes, rows, next: next, to: partition)
    }
  }

  private static let slowReaderBytes = 16 << 10
  private static let messageBytes = 1000

  /// The most that waited while a thousand messages were published and nothing was taken.
  private func most(_ reader: StuckReader) async throws -> Int {
    let partition = Partition(.messages, 0)
    let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
    var configuration = GatewayConfiguration(loops: 1)
    configuration.limits.slowReaderBytesMax = Self.slowReaderBytes
    let loop = EmbeddedEventLoop()
    let streams = DrivenStreams(
      log: log.identity, folds: [Fold(partition)], bounds: [try log.bounds(of: partition)],
      configuration: configuration, on: loop)
    loop.run()
    let channel = try ChannelName("c")
    let stream = try #require(streams.join([channel], lastEventID: nil, output: reader))
    reader.takeAll()
    streams.pull(stream)
    loop.run()
    reader.takeAll()
    var feed = Feed(streams: streams)
    var position = Offset.zero
    for number in 0..<1000 {
      let message = Message(
        id: "\(number)", contentType: "text/plain",
        data: [UInt8](repeating: 120, count: Self.messageBytes))
      let record = NewRecord(
        key: EventKey.message(channel, try MessageKey("k\(number)")).bytes, value: message.encoded)
      _ = try await log.append(AppendBatch([record], timestamp: 1), to: partition)
      position = try log.read(partition, from: position, bytesMax: 1, into: &feed)
      loop.run()
    }
    return reader.most
  }

  @Test func `a reader that takes nothing has a bounded amount waiting (law 31)`() async throws {
    let most = try await most(StuckReader(hidesBacklog: false))
    #expect(most > Self.messageBytes)
    #expect(most < 2 * Self.slowReaderBytes)
  }

  /// A stream of several channels has a buffer of its own, which many entries and many partitions fill.
  @Test func `a reader of several channels has no more waiting than one of one (law 31)`()
    async throws
  {
    let partitions = 8
    let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: partitions))
    var channels: [ChannelName] = []
    for index in 0..<partitions {
      let name = (0...).lazy.map { "c\($0)" }.first {
        (try? ChannelName($0)).map { Slot(channel: $0).partition(of: partitions) } == index
      }
      channels.append(try ChannelName(try #require(name)))
    }
    var configuration = GatewayConfiguration(loops: 1)
    configuration.limits.slowReaderBytesMax = Self.slowReaderBytes
    let loop = EmbeddedEventLoop()
    let all = log.layout.partitions(of: .messages)
    let streams = DrivenStreams(
      log: log.identity, folds: all.map { Fold($0) },
      bounds: try all.map { try log.bounds(of: $0) },
      configuration: configuration, on: loop)
    loop.run()
    func publish() async throws {
      for (index, channel) in channels.enumerated() {
        for number in 0..<100 {
          let message = Message(
            id: "\(number)", contentType: "text/plain",
            data: [UInt8](repeating: 120, count: Self.messageBytes))
          let record = NewRecord(
            key: EventKey.message(channel, try MessageKey("k\(number)")).bytes,
            value: message.encoded)
          let appended = try await log.append(
            AppendBatch([record], timestamp: 1), to: all[index])
          var feed = Feed(streams: streams, partition: index)
          _ = try log.read(all[index], from: appended.first, bytesMax: 1, into: &feed)
        }
      }
    }
    try await publish()
    // From the recent messages: an entry of all partitions together.
    let reader = StuckReader(hidesBacklog: false)
    let start = Position(
      log: log.identity, offsets: Dictionary(uniqueKeysWithValues: all.map { ($0, .zero) }))
    let stream = try #require(
      streams.join(channels, lastEventID: start.token, output: reader))
    let verdict = reader.most
    reader.takeAll()
    streams.pull(stream)
    let entry = 64 << 10
    #expect(reader.most - verdict < entry + 2 * Self.messageBytes)
    // It gets to the end of all of them.
    while reader.waiting > 0 {
      reader.takeAll()
      streams.pull(stream)
    }
    // Live, and everything comes in at once.
    let before = reader.most
    try await publish()
    loop.run()
    #expect(reader.waiting > 0)
    #expect(reader.most <= max(before, entry + 2 * Self.messageBytes))
  }

  @Test func `a gateway that does not see what waits is found (law 31)`() async throws {
    #expect(try await most(StuckReader(hidesBacklog: true)) > 1000 * Self.messageBytes)
  }
}
