import PropertyTesting
import Testing

@Suite struct ChoicesTests {
  @Test func `a seed gives the same choices for ever`() {
    var choices = Choices(seed: 42)
    #expect((0..<6).map { _ in choices.next(below: 1_000) } == [413, 291, 858, 764, 250, 62])
    var other = Choices(seed: 42)
    #expect(other.array(atMost: 9) { $0.int(in: -50...50) } == [32])
    #expect(other.text(atMost: 12) == "uxrvy")
    #expect(other.number(in: UInt64.min...UInt64.max, edges: true) == 5_583_394_756_643_233_309)
  }

  @Test func `a tape repeats what was chosen and goes on with zeros`() {
    func draw(_ choices: inout Choices) -> [Int] {
      choices.array(atMost: 100) { $0.int(in: -9...9) }
    }
    var first = Choices(seed: 7)
    let list = draw(&first)
    var second = Choices(tape: first.tape)
    #expect(draw(&second) == list)
    #expect(second.taken == first.taken)
    var third = Choices(tape: first.tape.withoutLastZeros)
    #expect(draw(&third) == list)
    #expect(third.full() == 0)
  }

  @Test func `a number too large for its bound is lowered to fit`() {
    var choices = Choices(tape: Tape([99]))
    #expect(choices.next(below: 10) == 9)
    #expect(choices.tape == Tape([9]))
  }

  @Test func `a tape is no longer than choicesMax, whatever the generator does`() {
    var choices = Choices(seed: 1)
    for _ in 0..<Choices.choicesMax { _ = choices.next(below: 1 << 60) }
    #expect((0..<9).allSatisfy { _ in choices.next(below: 1 << 60) == 0 })
    #expect(choices.tape.numbers.count == Choices.choicesMax)
  }

  @Test func `numbers on both sides of zero alternate, then go on with one sign`() throws {
    func all(_ range: ClosedRange<Int>) throws -> [Int] {
      var found: [Int] = []
      let report = try forEvery("numbers", atMost: 100, .fixed) { found.append($0.int(in: range)) }
      #expect(report.isComplete)
      return found
    }
    #expect(try all(-2...2) == [0, 1, -1, 2, -2])
    #expect(try all(-1...4) == [0, 1, -1, 2, 3, 4])
    #expect(try all(-4...1) == [0, 1, -1, -2, -3, -4])
    #expect(try all(3...5) == [3, 4, 5])
    #expect(try all(-5 ... -3) == [-3, -4, -5])
    #expect(try all(0...0) == [0])
    #expect(try all(-1...0) == [0, -1])
  }

  @Test func `whole types are reached from end to end`() {
    func ends<Number: FixedWidthInteger>(_ type: Number.Type) -> [Number] {
      let range = Number.min...Number.max
      var last = Choices(tape: Tape([.max, .max]))
      var zero = Choices(tape: Tape([]))
      return [last.number(in: range), zero.number(in: range)]
    }
    #expect(ends(Int.self) == [.min, 0])
    #expect(ends(Int8.self) == [.min, 0])
    #expect(ends(UInt64.self) == [.max, 0])
    #expect(ends(UInt16.self) == [.max, 0])
    var choices = Choices(tape: Tape([.max, .max]))
    #expect(choices.int(in: Int.min...0) == .min)
  }

  @Test func `each number of a range is as likely as any other`() {
    var choices = Choices(seed: 3)
    var counts: [Int: Int] = [:]
    for _ in 0..<7_000 { counts[choices.int(in: -2...4), default: 0] += 1 }
    #expect(counts.count == 7)
    #expect(counts.values.allSatisfy { 900...1_100 ~= $0 })
  }

  @Test func `edges come often, and stay in the range`() {
    var choices = Choices(seed: 3)
    var (ends, small) = (0, 0)
    for _ in 0..<8_000 {
      let number = choices.int(in: 0...1_000_000, edges: true)
      #expect(0...1_000_000 ~= number)
      if number >= 999_999 { ends += 1 }
      if number < 1_000 { small += 1 }
    }
    #expect(900...1_100 ~= ends)
    #expect(1_500...1_900 ~= small)
  }

  @Test func `values come from where they are to come from`() throws {
    var options = PropertyOptions.fixed
    options.cases = 300
    try forAll("values", options) { choices in
      try hold([1, 2, 3].contains(choices.element(of: [1, 2, 3])))
      try hold(choices.weighted([(0, "never"), (2, "often"), (1, "seldom")]) != "never")
      try hold(2...5 ~= choices.array(atLeast: 2, atMost: 5) { $0.bool() }.count)
      try hold(1...3 ~= choices.bytes(atLeast: 1, atMost: 3).count)
      try hold(choices.text(of: "xy", atMost: 5).allSatisfy { "xy".contains($0) })
      try hold(choices.text(of: "", atMost: 5), equals: "")
      try hold(choices.permutation(of: [1, 2, 3, 4]).sorted(), equals: [1, 2, 3, 4])
      let some = choices.some(of: [1, 2, 3])
      try hold(some == some.sorted() && Set(some).isSubset(of: [1, 2, 3]))
      try hold(choices.oneIn(1))
      if let number = choices.optional({ $0.int(in: 4...6) }) { try hold(4...6 ~= number) }
      try hold(choices.array(atMost: 5, mean: 0) { $0.bool() }.isEmpty)
    }
  }

  @Test func `the simplest of everything is what zeros give`() {
    var zeros = Choices(tape: Tape([]))
    #expect(zeros.int(in: -9...9) == 0)
    #expect(zeros.bool() == false)
    #expect(zeros.oneIn(3) == false)
    #expect(zeros.element(of: "abc".unicodeScalars.map { $0 }) == "a")
    #expect(zeros.weighted([(1, "a"), (9, "b")]) == "a")
    #expect(zeros.optional { $0.bool() } == nil)
    #expect(zeros.array(atLeast: 1, atMost: 9) { $0.int(in: 5...7) } == [5])
    #expect(zeros.permutation(of: [3, 1, 2]) == [3, 1, 2])
    #expect(zeros.some(of: [1, 2]) == [])
  }

  @Test func `every order is reached, once`() throws {
    var orders: Set<[Int]> = []
    let report = try forEvery("orders", atMost: 100, .fixed) {
      orders.insert($0.permutation(of: [1, 2, 3, 4]))
    }
    #expect(report.isComplete && report.cases == 24 && orders.count == 24)
  }
}
