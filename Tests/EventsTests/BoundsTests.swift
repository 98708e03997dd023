import Events
import Testing

/// What is read in place is loaded without checks, so a range that is not in the bytes ends the process before anything is read: each is
/// one whose bytes would otherwise be taken for right.
@Suite struct BoundsTests {
  @Test func `an envelope beyond the bytes`() async {
    await #expect(processExitsWith: .failure) {
      let bytes: [UInt8] = [0x0a, 0x02, 0]
      _ = try EventEnvelope.read(0..<4, of: bytes.span.bytes)
    }
  }

  @Test func `a message beyond the bytes`() async {
    await #expect(processExitsWith: .failure) {
      let bytes: [UInt8] = [0x1a, 0x02, 65]
      _ = try MessageFields(body: 0..<4, of: bytes.span.bytes)
    }
  }

  @Test func `a key beyond the bytes`() async {
    await #expect(processExitsWith: .failure) {
      let bytes: [UInt8] = [65, 0]
      _ = EventKey.separator(0..<3, of: bytes.span.bytes)
    }
  }
}
