import Testing

@testable import SegmentStorage

@Suite struct CRC32CTests {
  @Test func `the check value of the algorithm comes out`() {
    #expect(CRC32C.of(Array("123456789".utf8).span.bytes) == 0xE306_9283)
    #expect(CRC32C.of([UInt8]().span.bytes) == 0)
  }
}
