import EventStorage
import Events
import NIOCore

/// Where the bytes of a stream go: a socket, or the body of an ordinary response.
protocol StreamOutlet {
  /// Takes the bytes. False: they are on their way, nothing more is to be written before `onDrained` is called.
  func write(_ bytes: ByteBuffer) -> Bool
  func end(with bytes: ByteBuffer)
}

/// One stream: an outlet and a cursor. It has no queue: what it has not been sent is in the recent window.
///
/// Touched on its event loop only.
final class Subscriber {
  /// The channels of one partition, and how far this stream has been sent them.
  struct Part {
    let partition: LivePartition
    let channels: [ChannelName]
    let names: [[UInt8]]
    var cursor: Offset
  }

  let topics: [DeliveryTopic]
  private let shape: FrameShape
  private var parts: [Part]
  private let outlet: any StreamOutlet
  private let loop: StreamLoop
  private let limits: GatewayLimits
  /// Bytes are on their way; deliveries are left to the window.
  private var isDraining = false
  /// Cursors are behind the deliveries.
  private var isBehind = false
  private var isClosed = false
  /// What this drain of the mailbox brought a stream of several channels.
  private var gathered = ByteBuffer()
  /// Cursors of a stream of several channels once `gathered` is sent.
  private var pendingCursors: [Int: Offset] = [:]
  /// A stream that resumes says `live` when it has been sent what it lacked.
  private var isLivePending = false

  init(
    _ request: StreamRequest, parts: [Part], outlet: any StreamOutlet, loop: StreamLoop,
    limits: GatewayLimits
  ) {
    shape = request.shape
    self.parts = parts
    self.outlet = outlet
    self.loop = loop
    self.limits = limits
    topics = parts.flatMap(\.names).map { DeliveryTopic(channel: $0, shape: request.shape) }
  }

  /// Joins, and sends the verdict and what the client lacks.
  func start(_ head: ByteBuffer, _ request: StreamRequest, retryMilliseconds: Int) {
    for part in parts {
      part.partition.join(part.names, shape, loop: loop.index, of: loop.count)
    }
    loop.add(self)
    var bytes: [UInt8] = []
    StreamFrame.append(retryMilliseconds: retryMilliseconds, to: &bytes)
    let verdict = Verdict(request, parts)
    if case .resumed(let offsets) = verdict {
      for index in parts.indices { parts[index].cursor = offsets[index] }
      let position = token
      StreamFrame.append(event: "resumed", data: verdict.data(position: position), to: &bytes)
      isLivePending = true
      isBehind = true
    } else {
      appendSnapshot(verdict, to: &bytes)
    }
    var buffer = head
    buffer.writeBytes(bytes)
    send(buffer)
    if isBehind, !isDraining { catchUp() }
  }

  /// Takes what gathered for one of its topics.
  func deliver(_ group: DeliveryGroup, _ whole: ByteBuffer?) {
    guard !isDraining, !isBehind, !isClosed, let first = group.deliveries.first,
      let last = group.deliveries.last,
      let index = parts.firstIndex(where: { $0.partition.partition.index == first.partition })
    else { return }
    let cursor = parts[index].cursor
    guard last.next > cursor || topics.count > 1 else { return }
    guard let whole else {
      isBehind = true
      return catchUp()
    }
    var frames = whole
    if first.from < cursor {
      // It joined while these were on their way.
      frames = ByteBuffer()
      for delivery in group.deliveries where delivery.from >= cursor {
        if let part = delivery.frames { frames.writeImmutableBuffer(part) }
      }
      if frames.readableBytes == 0 { return }
    }
    if topics.count == 1 {
      parts[index].cursor = last.next
      send(frames)
    } else {
      gathered.writeImmutableBuffer(frames)
      pendingCursors[index] = max(pendingCursors[index] ?? cursor, last.next)
    }
  }

  /// Sends what a drain of the mailbox brought to a stream of several channels, and an id behind it.
  func flush() {
    guard gathered.readableBytes > 0, !isClosed else { return }
    for (index, cursor) in pendingCursors { parts[index].cursor = cursor }
    pendingCursors = [:]
    var bytes = gathered
    gathered = ByteBuffer()
    if isBehind { return }
    appendIdentifier(to: &bytes)
    send(bytes)
  }

  /// A sign of life, when nothing else is on its way.
  func beat(_ frame: ByteBuffer) {
    if !isDraining, !isBehind, !isClosed { send(frame) }
  }

  /// The outlet took everything: goes on from the cursor.
  func drained() {
    isDraining = false
    if !isClosed { catchUp() }
  }

  /// The stream is over on our side: tells the client when to come back.
  func drain(retryMilliseconds: Int) {
    guard !isClosed else { return }
    var bytes: [UInt8] = []
    StreamFrame.append(retryMilliseconds: retryMilliseconds, to: &bytes)
    bytes += StreamFrame.end
    closed()
    outlet.end(with: ByteBuffer(bytes: bytes))
  }

  /// The client is gone.
  func closed() {
    guard !isClosed else { return }
    isClosed = true
    loop.remove(self)
    for part in parts { part.partition.leave(part.names, shape, loop: loop.index) }
  }

  /// Sends from the recent window until the cursors are where the partitions are.
  private func catchUp() {
    isBehind = true
    // Cursors do not cover it yet: it comes again from the window.
    gathered = ByteBuffer()
    pendingCursors = [:]
    while isBehind, !isDraining, !isClosed {
      var bytes: [UInt8] = []
      var isAll = true
      for index in parts.indices {
        switch parts[index].partition.missed(
          parts[index].names, shape, from: parts[index].cursor, bytesMax: limits.slowReaderBytesMax)
        {
        case .frames(let frames, let position, let all):
          bytes += frames
          parts[index].cursor = position
          isAll = isAll && all
        case .lost:
          bytes = []
          appendSnapshot(.snapshot(reason: "lagged"), to: &bytes)
          send(ByteBuffer(bytes: bytes))
          return
        }
      }
      if shape == .shared, !bytes.isEmpty { StreamFrame.append(id: token, to: &bytes) }
      isBehind = !isAll
      if isAll, isLivePending {
        isLivePending = false
        StreamFrame.append(
          event: "live", id: token, data: Verdict.position(token), to: &bytes)
      }
      if !bytes.isEmpty { send(ByteBuffer(bytes: bytes)) }
    }
  }

  /// The verdict, the state of all channels without ids, and `live` with one.
  private func appendSnapshot(_ verdict: Verdict, to bytes: inout [UInt8]) {
    var state: [UInt8] = []
    for index in parts.indices {
      let (frames, position) = parts[index].partition.snapshot(parts[index].channels, shape)
      state += frames
      parts[index].cursor = position
    }
    StreamFrame.append(event: verdict.name, data: verdict.data(position: token), to: &bytes)
    bytes += state
    StreamFrame.append(event: "live", id: token, data: Verdict.position(token), to: &bytes)
    isBehind = false
    isLivePending = false
  }

  private func appendIdentifier(to buffer: inout ByteBuffer) {
    var bytes: [UInt8] = []
    StreamFrame.append(id: token, to: &bytes)
    buffer.writeBytes(bytes)
  }

  private var token: String {
    var position = Position(log: parts[0].partition.identity, offsets: [:])
    for part in parts { position[part.partition.partition] = part.cursor }
    return position.token
  }

  private func send(_ bytes: ByteBuffer) {
    if !outlet.write(bytes) { isDraining = true }
  }
}
