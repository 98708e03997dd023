import EventStorage
import Events
import Gateway
import HTTPTypes
import NIOCore
import NIOEmbedded
import NIOHTTPTypes
import Projections
import PropertyTesting

/// A connection that says anything: what is answered is HTTP, and does not depend on how the bytes come in.
///
/// The first byte says where they are cut.
enum Connection {
  @Sendable static func test(_ bytes: [UInt8]) throws {
    guard let cut = bytes.first else { return }
    let said = Array(bytes.dropFirst())
    let whole = try lean([said])
    try hold(try lean(pieces(of: said, cut)), equals: whole, "in pieces")
    if let stream = whole.stream { try check(stream, asked: said) }
    let answered = try http([said])
    try hold(try http(pieces(of: said, cut)), equals: answered, "in pieces, as HTTP")
  }

  private static func pieces(of bytes: [UInt8], _ cut: UInt8) -> [[UInt8]] {
    guard cut > 0 else { return bytes.map { [$0] } }
    let place = min(Int(cut), bytes.count)
    return [Array(bytes[..<place]), Array(bytes[place...])].filter { !$0.isEmpty }
  }

  /// What the first handler made of it.
  private struct Lean: Equatable {
    var isHandedOver = false
    var status: Int?
    var stream: [UInt8]?
  }

  private static func lean(_ pieces: [[UInt8]]) throws -> Lean {
    let loop = EmbeddedEventLoop()
    let fold = Fold<Channels>(Partition(.messages, 0))
    let bounds = LogBounds(start: .zero, end: .zero, tombstoneHorizon: .zero)
    var configuration = GatewayConfiguration(loops: 1)
    configuration.writesToSocket = false
    // Clients are told to wait a time around this one: at zero, nothing is left to chance.
    configuration.retryMilliseconds = 0
    configuration.limits.headerBytesMax = 1024
    let streams = DrivenStreams(
      log: LogIdentity(1), folds: [fold], bounds: [bounds], configuration: configuration, on: loop)
    var found = Lean()
    let sent = try converse(pieces, loop) { channel in
      try streams.accept(channel) { found.isHandedOver = true }
    }
    guard let answer = try HTTPAnswers.read(sent).first else { return found }
    found.status = answer.status
    if answer.status == 200 {
      found.stream = answer.body
    } else {
      try JSONSyntax.check(answer.body[...])
    }
    return found
  }

  /// Whoever is served a stream asked for it: the HTTP stack understands the same request.
  private static func check(_ stream: [UInt8], asked: [UInt8]) throws {
    var parser = EventStreamParser()
    let verdict = parser.feed(stream).first?.name ?? ""
    try hold(["snapshot", "resumed", "reset"].contains(verdict), "the verdict \(verdict)")
    let heads = HTTPHeads()
    _ = try converse([asked], EmbeddedEventLoop()) { channel in
      try DrivenStreams.addHTTP(to: channel, limits: GatewayLimits())
      try channel.pipeline.syncOperations.addHandler(heads)
    }
    guard let head = heads.heads.first else {
      throw NotHeld(message: "a stream for what is no request")
    }
    try hold(head.method, equals: .get)
    let view = ByteBuffer(bytes: asked).readableBytesView
    let length = RequestHead.length(in: view) ?? 0
    let lean = RequestHead.streamRequest(
      in: view[view.startIndex..<view.startIndex + length], limits: GatewayLimits())
    let plain = try StreamRequest.read(
      target: (head.path ?? "")[...], lastEventID: head.headerFields[.lastEventID],
      origin: head.headerFields[.origin], limits: GatewayLimits())
    try hold(lean, equals: plain, "as the HTTP stack has it")
  }

  private struct Served: Equatable {
    var asked: [HTTPRequest]
    var statuses: [Int]
  }

  private static func http(_ pieces: [[UInt8]]) throws -> Served {
    let heads = HTTPHeads()
    var limits = GatewayLimits()
    limits.headerBytesMax = 1024
    let sent = try converse(pieces, EmbeddedEventLoop()) { channel in
      try DrivenStreams.addHTTP(to: channel, limits: limits)
      try channel.pipeline.syncOperations.addHandler(heads)
    }
    let answers = try HTTPAnswers.read(sent)
    return Served(asked: heads.heads, statuses: answers.map(\.status))
  }

  /// What is sent on a connection that says these pieces and then closes.
  private static func converse(
    _ pieces: [[UInt8]], _ loop: EmbeddedEventLoop, _ setUp: (EmbeddedChannel) throws -> Void
  ) throws -> [UInt8] {
    let channel = EmbeddedChannel(loop: loop)
    try setUp(channel)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    for piece in pieces where channel.isActive {
      // What a handler does not want to know is its own affair; what it answers is looked at.
      _ = try? channel.writeInbound(ByteBuffer(bytes: piece))
      channel.embeddedEventLoop.run()
    }
    var sent: [UInt8] = []
    while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
      sent += buffer.readableBytesView
    }
    channel.close(promise: nil)
    loop.advanceTime(by: .seconds(2))
    _ = try? channel.finish(acceptAlreadyClosed: true)
    return sent
  }
}
