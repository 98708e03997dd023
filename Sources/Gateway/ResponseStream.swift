import Hummingbird
import NIOCore

/// A stream in the body of an ordinary response, for connections that had other requests before.
///
/// The HTTP stack adds the chunks, so the ones in the shared frames are taken off. Costs a task; streams that come as the first
/// request of their connection do not come here.
struct ResponseStream {
  let streams: StreamService
  let request: StreamRequest
  let eventLoop: any EventLoop

  @concurrent
  func write(to writer: inout any ResponseBodyWriter) async throws {
    let (chunks, continuation) = AsyncStream.makeStream(of: ByteBuffer.self)
    let eventLoop = eventLoop
    let subscriber = try await eventLoop.submit { [streams, request] in
      let subscriber = streams.subscriber(
        request, outlet: BodyOutlet(continuation: continuation), on: eventLoop)
      subscriber.start(ByteBuffer(), request, retryMilliseconds: streams.retryMilliseconds)
      return NIOLoopBound(subscriber, eventLoop: eventLoop)
    }.get()
    defer { eventLoop.execute { subscriber.value.closed() } }
    for await chunk in chunks {
      try await writer.write(ResponseStream.withoutChunks(chunk))
      eventLoop.execute { subscriber.value.drained() }
    }
  }

  /// The content of a buffer of whole chunks.
  static func withoutChunks(_ buffer: ByteBuffer) -> ByteBuffer {
    var rest = buffer
    var content = ByteBuffer()
    while let line = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")),
      let digits = rest.readString(length: line - rest.readerIndex - 1),
      let size = Int(digits, radix: 16), size > 0
    {
      rest.moveReaderIndex(forwardBy: 2)
      guard let part = rest.readSlice(length: size) else { break }
      content.writeImmutableBuffer(part)
      rest.moveReaderIndex(forwardBy: min(2, rest.readableBytes))
    }
    return content
  }
}

/// Hands one buffer at a time to the task that writes the body.
private struct BodyOutlet: StreamOutlet {
  let continuation: AsyncStream<ByteBuffer>.Continuation

  /// Never more than one buffer waits: the subscriber writes the next when this one was drained.
  func write(_ bytes: ByteBuffer) -> Bool {
    continuation.yield(bytes)
    return false
  }

  func end(with bytes: ByteBuffer) {
    continuation.yield(bytes)
    continuation.finish()
  }
}
