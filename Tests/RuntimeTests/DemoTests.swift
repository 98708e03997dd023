import Testing

@testable import Runtime

@Suite struct DemoTests {
  @Test func `playing starts on a busy morning, or where the recording begins`() {
    let january: ClosedRange<Int64> = 1_357_016_430_000...1_359_694_799_000
    #expect(Demo.place(nil, in: january) == 1_358_247_600_000)
    #expect(Demo.place(nil, in: 5...10) == 5)
    // 05:00:30, told as 05:00.
    #expect(Demo.place(1_357_016_400_000, in: january) == 1_357_016_430_000)
    #expect(Demo.place(1_357_016_340_000, in: january) == nil)
    #expect(Demo.place(1_360_000_000_000, in: january) == nil)
  }

  @Test func `a speed is told as it was given`() {
    #expect([60, 0.5, 100_000, 1.25].map(speedText) == ["60", "0.5", "100000", "1.25"])
  }
}
