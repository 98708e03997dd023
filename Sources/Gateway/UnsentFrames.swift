package import NIOCore

/// What the kernel did not take of a buffer that many readers share.
package struct UnsentFrames {
  /// A slice keeps the whole buffer alive for one reader, so what is small is copied. What is large is not: thousands of readers
  /// may stall on the same message.
  package static let copiedBytesMax = 16 << 10

  package let buffer: ByteBuffer
  /// The memory that it keeps: this is what waits for the reader, and what its bound counts.
  package let heldBytes: Int

  package init(of shared: ByteBuffer, after sent: Int) {
    let rest = shared.readableBytes - sent
    if rest > UnsentFrames.copiedBytesMax {
      var slice = shared
      slice.moveReaderIndex(forwardBy: sent)
      buffer = slice
      heldBytes = shared.readableBytes
    } else {
      buffer = ByteBuffer(bytes: shared.readableBytesView.dropFirst(sent))
      heldBytes = rest
    }
  }
}
