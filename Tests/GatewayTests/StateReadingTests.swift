import EventStorage
import Events
import Gateway
import NIOCore
import NIOEmbedded
import Projections
import Testing

/// How the state of a large channel is given to a reader that takes it page by page.
@Suite struct StateReadingTests {
  /// Takes what it was given when it is told to.
  private final class Reader: DrivenOutput {
    private(set) var text: [UInt8] = []
    private(set) var pendingBytes = 0
    var isOpen: Bool { true }
    func write(_ frames: [UInt8]) {
      text += frames
      pendingBytes += frames.count
    }
    func take() { pendingBytes = 0 }

    func count(of needle: String) -> Int {
      String(decoding: text, as: UTF8.self).ranges(of: needle).count
    }
  }

  private struct Feed: RecordSink {
    let streams: DrivenStreams
    mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
      streams.apply(bytes, rows, next: next, to: 0)
    }
  }

  private static let partition = Partition(.messages, 0)
  private let log = MemoryLog(identity: LogIdentity(1), layout: LogLayout(partitions: 1))
  private let loop = EmbeddedEventLoop()
  private let streams: DrivenStreams

  init() throws {
    var configuration = GatewayConfiguration(loops: 1)
    configuration.heartbeatSeconds = 1
    // Nothing is kept for readers to come.
    configuration.limits.snapshotBytesMax = 1
    streams = DrivenStreams(
      log: log.identity, folds: [Fold(Self.partition)],
      bounds: [try log.bounds(of: Self.partition)],
      configuration: configuration, on: loop)
    loop.run()
  }

  /// A hundred messages of 4 KB each, all under the same keys.
  private func publish(_ word: String) async throws {
    var feed = Feed(streams: streams)
    for number in 0..<100 {
      let message = Message(
        id: "\(number)", contentType: "text/plain",
        data: Array((word + String(repeating: "-", count: 4000)).utf8))
      let record = NewRecord(
        key: EventKey.message(try ChannelName("c"), try MessageKey("k\(number)")).bytes,
        value: message.encoded)
      let appended = try await log.append(AppendBatch([record], timestamp: 1), to: Self.partition)
      _ = try log.read(Self.partition, from: appended.first, bytesMax: 1, into: &feed)
    }
    loop.run()
  }

  private func readOn(_ stream: DrivenStreams.Handle, _ reader: Reader) {
    while reader.pendingBytes > 0 {
      reader.take()
      streams.pull(stream)
      loop.run()
    }
  }

  /// Encoding it again for every page would cost the loop its time (law 31).
  @Test func `a state is encoded once for a reader, however long it reads`() async throws {
    try await publish("first")
    let reader = Reader()
    let stream = try #require(
      streams.join([ChannelName("c")], lastEventID: nil, output: reader))
    reader.take()
    streams.pull(stream)
    try #require(1..<50 ~= reader.count(of: "first"))
    try await publish("second")
    readOn(stream, reader)
    #expect(reader.count(of: "first") == 100)
    #expect(reader.count(of: "second") == 100)
    #expect(reader.count(of: "event: live") == 1)
  }

  @Test func `a reader that reads on nothing keeps no state, and goes on from a newer one`()
    async throws
  {
    try await publish("first")
    let reader = Reader()
    let stream = try #require(
      streams.join([ChannelName("c")], lastEventID: nil, output: reader))
    reader.take()
    streams.pull(stream)
    let given = reader.count(of: "first")
    try await publish("second")
    loop.advanceTime(by: .seconds(3))
    readOn(stream, reader)
    #expect(reader.count(of: "first") == given)
    #expect(reader.count(of: "second") == 100)
    #expect(reader.count(of: "event: live") == 1)
  }
}
