import Glibc
import NIOCore

/// The bytes of one HTTP connection, whatever they mean: whether a request has begun to arrive, and whether its client takes the
/// answer. The first handler behind the socket.
final class WireWatch: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = IOData

  /// Bytes have come since this was last taken back. What came in one piece with the end of a request is not counted.
  var hasReceived = false
  private var given = 0
  private var taken = 0
  private var takenAt = NIODeadline.now()

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    hasReceived = true
    context.fireChannelRead(data)
  }

  func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
    given += unwrapOutboundIn(data).readableBytes
    context.write(data, promise: promise)
  }

  /// How long the client has taken nothing of what waits for it, as far as was looked; nil when nothing waits.
  func pause(of channel: any Channel) -> TimeAmount? {
    let waiting = waitingBytes(of: channel)
    if waiting == 0 || given - waiting != taken {
      taken = given - waiting
      takenAt = .now()
    }
    return waiting == 0 ? nil : .now() - takenAt
  }

  /// What waits here, and what the kernel has taken and the client's has not acknowledged: it takes more only when a third of what it
  /// may hold is free, so that a slow client would look like one that has stopped.
  private func waitingBytes(of channel: any Channel) -> Int {
    let here = (try? channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0
    var sent: CInt = 0
    _ = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { ioctl($0, UInt(TIOCOUTQ), &sent) }
    return here + Int(sent)
  }
}
