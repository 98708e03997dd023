import Glibc
import NIOCore
import NIOPosix

/// A socket of its own: bytes go straight into it, and through the channel only when it does not take them all.
struct SocketOutlet: StreamOutlet {
  let channel: any Channel
  let onDrained: @Sendable () -> Void

  func write(_ bytes: ByteBuffer) -> Bool {
    let sent = try? sendNow(bytes)
    var rest = bytes
    if let sent {
      if sent == bytes.readableBytes { return true }
      rest.moveReaderIndex(forwardBy: sent)
    }
    channel.writeAndFlush(rest).whenComplete { result in
      if case .success = result { onDrained() }
    }
    return false
  }

  func end(with bytes: ByteBuffer) {
    let channel = channel
    channel.writeAndFlush(bytes).whenComplete { _ in channel.close(promise: nil) }
  }

  /// How many bytes the socket took at once, or nil when they must go through the channel (TLS, or a socket in trouble,
  /// which the channel finds out for itself).
  private func sendNow(_ bytes: ByteBuffer) throws -> Int? {
    try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
      of: NIOBSDSocket.Handle.self
    ) { socket in
      let count = bytes.withUnsafeReadableBytes {
        Glibc.send(
          socket, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL))
      }
      return max(0, count)
    }
  }
}
