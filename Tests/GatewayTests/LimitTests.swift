import EventLogContract
import EventStorage
import Events
import Gateway
import NIOEmbedded
import Projections
import Synchronization
import Testing

/// Limits, each at its value and one beyond it.
@Suite struct LimitTests {
  @Test func `a time to live`() async throws {
    try await withServer(over: makeLog()) {
      $0.limits.ttlSecondsMax = 100
    } _: { server in
      let longest = try await server.publish("c", "x", headers: ["Signalbox-TTL: 100"])
      #expect(longest.status == 201)
      let longer = try await server.publish("c", "x", headers: ["Signalbox-TTL: 101"])
      #expect(longer.status == 400)
      #expect(longer.body.contains("from 1 to 100."))
    }
  }

  @Test func `a message`() async throws {
    try await withServer(over: makeLog()) {
      $0.limits.bodyBytesMax = 10
    } _: { server in
      let longest = try await server.publish("c", "0123456789")
      #expect(longest.status == 201)
      let longer = try await server.publish("c", "0123456789a")
      #expect(longer.status == 413)
    }
  }

  @Test func `a content type, and JSON inside JSON`() async throws {
    try await withServer(over: makeLog()) { server in
      let type = "text/plain; a=" + String(repeating: "b", count: 241)
      #expect(try await server.publish("c", "x", type: type).status == 201)
      #expect(try await server.publish("c", "x", type: type + "b").status == 400)
      for (depth, status) in [(256, 201), (257, 400)] {
        let json = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let answer = try await server.publish("c", json, type: "application/json")
        #expect(answer.status == status, "\(depth)")
      }
    }
  }

  /// A state that is kept is given to the next reader too, who then gets what has changed since.
  @Test func `encoded states that are kept`() async throws {
    let size = try await EncodedState(bytesMax: 1 << 20).size
    let (fits, larger) = (
      try await EncodedState(bytesMax: size), try await EncodedState(bytesMax: size - 1)
    )
    #expect(fits.isKept)
    #expect(!larger.isKept)
  }

  @Test(arguments: [1000, 1001])
  func `what a follower reads at a time`(bytesMax: Int) async throws {
    let log = MeasuredLog(makeLog())
    try await withServer(over: log) {
      $0.limits.readBytesMax = bytesMax
    } _: { server in
      let position = try await server.publish("c", "x").position
      _ = try await server.request("GET", "/v1/channels/c?min=\(position)")
      #expect(log.asked == bytesMax)
    }
  }
}

/// Two readers of ten messages, one after the other, with a message in between.
private struct EncodedState {
  /// Bytes of the state's frames.
  let size: Int
  let isKept: Bool

  private final class Reader: DrivenOutput {
    private(set) var text = ""
    var pendingBytes: Int { 0 }
    var isOpen: Bool { true }
    func write(_ frames: [UInt8]) { text += String(decoding: frames, as: UTF8.self) }
  }

  private struct Feed: RecordSink {
    let streams: DrivenStreams
    mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
      streams.apply(bytes, rows, next: next, to: 0)
    }
  }

  init(bytesMax: Int) async throws {
    let partition = Partition(.messages, 0)
    let channel = try ChannelName("c")
    let log = makeLog()
    var configuration = GatewayConfiguration(loops: 1)
    configuration.limits.snapshotBytesMax = bytesMax
    let loop = EmbeddedEventLoop()
    let streams = DrivenStreams(
      log: log.identity, folds: [Fold(partition)], bounds: [try log.bounds(of: partition)],
      configuration: configuration, on: loop)
    loop.run()
    var verdicts: [String] = []
    var size = 0
    for count in [10, 1] {
      for number in 0..<count {
        let message = Message(id: "\(number)", contentType: "text/plain", data: Array("some".utf8))
        let record = NewRecord(
          key: EventKey.message(channel, try MessageKey("k\(number)")).bytes, value: message.encoded
        )
        let appended = try await log.append(AppendBatch([record], timestamp: 1), to: partition)
        var feed = Feed(streams: streams)
        _ = try log.read(partition, from: appended.first, bytesMax: 1, into: &feed)
      }
      let reader = Reader()
      let stream = try #require(streams.join([channel], lastEventID: nil, output: reader))
      loop.run()
      let blocks = reader.text.split(separator: "\n\n")
      verdicts.append(String(try #require(blocks.first { $0.hasPrefix("event: snapshot") })))
      if size == 0 {
        size = blocks.filter { $0 == "data: some" }.reduce(0) { $0 + $1.utf8.count + 2 }
      }
      streams.leave(stream)
    }
    self.size = size
    isKept = verdicts[0] == verdicts[1]
  }
}

/// A log that notes how much is read at a time.
private final class MeasuredLog: ForwardingLog {
  let base: MemoryLog
  private let most = Atomic(0)

  init(_ log: MemoryLog) { base = log }

  var asked: Int { most.load(ordering: .relaxed) }
  func read<Sink: RecordSink & ~Copyable>(
    _ partition: Partition, from offset: Offset, bytesMax: Int, into sink: inout Sink
  ) throws(LogError) -> Offset {
    most.store(bytesMax, ordering: .relaxed)
    return try base.read(partition, from: offset, bytesMax: bytesMax, into: &sink)
  }
}
