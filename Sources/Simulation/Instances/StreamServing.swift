internal import EventStorage
internal import Events
internal import Gateway
internal import NIOCore
internal import NIOEmbedded
internal import Projections

/// The gateway's own partitions and streams in one instance: fed, woken and emptied by the world.
final class StreamServing {
  /// One stream that a client has open here.
  final class Stream: DrivenOutput {
    let connection: UInt64
    let client: ProcessID
    let isSlow: Bool
    var handle: DrivenStreams.Handle?
    /// Given by the gateway and not sent.
    var outgoing: [UInt8] = []
    /// Sent, and not taken by a slow client.
    var untaken = 0
    var isOpen = true
    var sent = 0
    /// When what was sent last arrives: a connection keeps order.
    var lastArrival = VirtualTime.zero
    /// What a single write made too much (law 31).
    private(set) var excess: Int?
    private let bytesMax: Int
    private let hidesPending: Bool

    init(
      _ connection: UInt64, to client: ProcessID, isSlow: Bool, bytesMax: Int, hidesPending: Bool
    ) {
      self.connection = connection
      self.client = client
      self.isSlow = isSlow
      self.bytesMax = bytesMax
      self.hidesPending = hidesPending
    }

    var waiting: Int { untaken + outgoing.count }
    var pendingBytes: Int { hidesPending ? 0 : waiting }

    /// Whatever its size, it may be written when nothing waits; otherwise all of it stays within the bound.
    func write(_ frames: [UInt8]) {
      if waiting > 0, waiting + frames.count > bytesMax { excess = waiting + frames.count }
      outgoing += frames
    }
  }

  private let loop = EmbeddedEventLoop()
  let gateway: DrivenStreams
  /// In the order in which they began.
  private var streams: [Stream] = []
  private unowned let world: World
  private let instance: ProcessID
  private let life: UInt64
  private let slowReaderBytesMax = 2048
  private var loopTime: VirtualTime

  init(
    _ identity: LogIdentity, _ folds: [Fold<Channels>], _ bounds: [LogBounds],
    of instance: ProcessID, in world: World
  ) {
    self.instance = instance
    self.world = world
    loopTime = world.now
    life = world.newRequest()
    var configuration = GatewayConfiguration(loops: 1)
    configuration.heartbeatSeconds = Double(world.options.heartbeatSeconds)
    configuration.limits.slowReaderBytesMax = slowReaderBytesMax
    configuration.limits.recentBytesMax = world.options.recentBytesMax
    configuration.limits.snapshotBytesMax = 64 << 10
    configuration.limits.loopBacklogBytesMax = 16 << 10
    gateway = DrivenStreams(
      log: identity, folds: folds, bounds: bounds, configuration: configuration, on: loop)
  }

  func join(
    _ channels: [ChannelName], token: String?, connection: UInt64, client: ProcessID, isSlow: Bool
  ) {
    guard !streams.contains(where: { $0.connection == connection }) else { return }
    // The id behind the frames of several channels comes on top.
    let stream = Stream(
      connection, to: client, isSlow: isSlow, bytesMax: slowReaderBytesMax + 256,
      hidesPending: world.options.canary == .hidePending)
    streams.append(stream)
    stream.handle = gateway.join(channels, lastEventID: token, output: stream)
    send()
  }

  /// A slow client has taken what was sent.
  func taken(_ connection: UInt64) {
    guard let stream = streams.first(where: { $0.connection == connection }) else { return }
    stream.untaken = 0
    if let handle = stream.handle, stream.waiting == 0 { gateway.pull(handle) }
    send()
  }

  func hangUp(_ connection: UInt64) {
    guard let index = streams.firstIndex(where: { $0.connection == connection }) else { return }
    let stream = streams.remove(at: index)
    stream.isOpen = false
    if let handle = stream.handle { gateway.leave(handle) }
  }

  /// Lets the loop do what is due, and sends what it wrote.
  func turn() {
    let passed = world.now.microseconds - loopTime.microseconds
    loopTime = world.now
    loop.advanceTime(by: .microseconds(passed))
    loop.run()
    send()
  }

  private func send() {
    var isMore = true
    while isMore {
      isMore = false
      for stream in streams where !stream.outgoing.isEmpty {
        if let excess = stream.excess {
          world.fail(31, "\(excess) bytes wait for a slow reader")
        }
        send(stream.outgoing, of: stream)
        if stream.isSlow { stream.untaken += stream.outgoing.count }
        stream.outgoing = []
        if !stream.isSlow, let handle = stream.handle {
          gateway.pull(handle)
          isMore = isMore || !stream.outgoing.isEmpty
        }
      }
    }
    for stream in streams where !stream.isOpen { hangUp(stream.connection) }
  }

  /// In order, or not at all: then the connection is broken, and the client finds out by the silence.
  private func send(_ frames: [UInt8], of stream: Stream) {
    guard stream.isOpen, world.network.isOpen(from: instance, to: stream.client) else {
      stream.isOpen = false
      return
    }
    // What arrives at the same moment comes in any order: the bytes of a connection do not.
    let arrival = max(
      stream.lastArrival + VirtualTime(microseconds: 1),
      world.now + world.network.delay(world.chance))
    stream.lastArrival = arrival
    stream.sent += 1
    world.deliver(
      .frames(frames, server: life, connection: stream.connection, number: stream.sent),
      from: instance,
      to: stream.client, at: arrival)
  }
}
