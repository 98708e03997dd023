import NIOCore

/// Frames encoded once, framed as one chunk of a chunked body, shared by everyone who gets them.
struct SharedFrames {
  /// Chunk header, frames, chunk trailer.
  let chunk: ByteBuffer
  /// The frames alone, for a body that something else frames.
  let frames: ByteBuffer

  var byteCount: Int { chunk.readableBytes }

  init(_ parts: some Sequence<[UInt8]>, byteCount: Int) {
    var buffer = ByteBufferAllocator().buffer(capacity: byteCount + 20)
    buffer.writeString(String(byteCount, radix: 16))
    buffer.writeStaticString("\r\n")
    let start = buffer.writerIndex
    for part in parts { buffer.writeBytes(part) }
    let end = buffer.writerIndex
    buffer.writeStaticString("\r\n")
    chunk = buffer
    frames = buffer.getSlice(at: start, length: end - start) ?? ByteBuffer()
  }

  init(_ bytes: [UInt8]) {
    self.init(CollectionOfOne(bytes), byteCount: bytes.count)
  }

  /// The end of a chunked body.
  static let end = ByteBuffer(staticString: "0\r\n\r\n")
}
