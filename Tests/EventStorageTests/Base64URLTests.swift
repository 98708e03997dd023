import EventStorage
import Testing

@Suite struct Base64URLTests {
  /// What Python writes: `base64.urlsafe_b64encode(bytes).rstrip(b"=")`.
  private static let vectors: [([UInt8], String)] = [
    ([], ""),
    ([102], "Zg"),
    ([102, 111], "Zm8"),
    ([102, 111, 111], "Zm9v"),
    ([102, 111, 111, 98], "Zm9vYg"),
    ([102, 111, 111, 98, 97], "Zm9vYmE"),
    ([102, 111, 111, 98, 97, 114], "Zm9vYmFy"),
    ([0], "AA"),
    ([255], "_w"),
    ([255, 255, 255], "____"),
    ([251, 255, 191], "-_-_"),
    (
      stride(from: 0, to: 256, by: 5).map { UInt8($0) },
      "AAUKDxQZHiMoLTI3PEFGS1BVWl9kaW5zeH2Ch4yRlpugpaqvtLm-w8jN0tfc4ebr8PX6_w"
    ),
    ([0, 0, 0, 0, 0, 0, 0], "AAAAAAAAAA"),
  ]

  @Test(arguments: vectors)
  func `bytes are written as Python writes them, and read back`(_ bytes: [UInt8], _ text: String) {
    #expect(Base64URL.encode(bytes) == text)
    #expect(Base64URL.decode(text) == bytes)
  }

  @Test func `every byte at every place survives`() {
    for length in 1...7 {
      for place in 0..<length {
        for byte in UInt8.min...UInt8.max {
          var bytes = [UInt8](repeating: 0x5a, count: length)
          bytes[place] = byte
          #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
      }
    }
  }

  @Test(arguments: [
    "A", "AAAAA", "Zg==", "Zm9v=", "Z+", "Z/", "Zm 9v", "Zm9v\n", "Zé", "Zh", "Zm9", "\0\0",
  ])
  func `what nobody would write is refused`(_ text: String) {
    #expect(Base64URL.decode(text) == nil)
  }
}
