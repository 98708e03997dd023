import Gateway
import NIOCore
import Testing

/// Law 31: what waits for thousands of readers who stalled on one message.
@Suite struct UnsentFramesTests {
  private func address(_ buffer: ByteBuffer) -> UnsafeRawPointer? {
    buffer.withUnsafeReadableBytes { $0.baseAddress }
  }

  @Test func `what is large is shared, and counts as what it keeps alive`() {
    let shared = ByteBuffer(repeating: 120, count: 1 << 20)
    for sent in [1, 1000, (1 << 20) - UnsentFrames.copiedBytesMax - 1] {
      let unsent = UnsentFrames(of: shared, after: sent)
      #expect(unsent.buffer.readableBytes == shared.readableBytes - sent)
      #expect(address(unsent.buffer) == address(shared).map { $0 + sent })
      #expect(unsent.heldBytes == 1 << 20)
    }
  }

  @Test func `what is small is copied, and keeps nothing else alive`() {
    let shared = ByteBuffer(bytes: (0..<(1 << 20)).map { UInt8(truncatingIfNeeded: $0 / 3) })
    let sent = (1 << 20) - UnsentFrames.copiedBytesMax
    let unsent = UnsentFrames(of: shared, after: sent)
    #expect(unsent.buffer.readableBytesView.elementsEqual(shared.readableBytesView.dropFirst(sent)))
    #expect(address(unsent.buffer) != address(shared).map { $0 + sent })
    #expect(unsent.heldBytes == UnsentFrames.copiedBytesMax)
  }
}
