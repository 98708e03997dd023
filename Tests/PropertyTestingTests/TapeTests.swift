import PropertyTesting
import Testing

@Suite struct TapeTests {
  @Test func `the text of a tape is read back`() throws {
    try forAll("the text of a tape is read back", .fixed) { choices in
      let tape = Tape(
        choices.array(atMost: 30) { $0.oneIn(3) ? $0.full() : $0.next(below: 3) })
      choices.note("\(tape)")
      try hold(Tape(tape.description), equals: tape)
      let short = tape.withoutLastZeros
      try hold(tape.numbers.starts(with: short.numbers) && short.numbers.last != 0)
    }
  }

  @Test func `runs are written as their number times their length`() {
    #expect(Tape([4, 0, 0, 0, 17, 2, 2]).description == "4.0×3.17.2.2")
    #expect(Tape("4.0x3.17") == Tape([4, 0, 0, 0, 17]))
    #expect(Tape("") == Tape([]))
  }

  @Test(arguments: [
    "x", "1..2", "1.", "-1", "1×0", "1×2×3", "1×1048577", "1×1048576.1", "99999999999999999999",
  ])
  func `what is no tape is not read as one`(text: String) {
    #expect(Tape(text) == nil)
  }
}
