import PropertyTesting
import Testing

/// Failures that are hard to make simple: their parts must change together.
@Suite struct HardShrinkingTests {
  @Test(arguments: UInt64(0)..<10)
  func `five lists whose sums overflow`(seed: UInt64) throws {
    let found = try smallest(cases: 20_000, seed: seed) { choices in
      let lists = (0..<5).map { _ in
        choices.array(atMost: 10, mean: 1) { $0.number(in: Int16.min...Int16.max, edges: true) }
      }
      choices.note("\(lists)")
      try choices.require(lists.allSatisfy { $0.reduce(0, &+) < 256 })
      try hold(lists.joined().reduce(0, &+) < 5 * 256)
    }
    // Two lists of one number each: "one more" and the number.
    #expect(found.tape.numbers.count == 9 && found.tape.numbers.count { $0 != 0 } == 4)
  }

  @Test(arguments: UInt64(0)..<10)
  func `three distinct numbers`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let list = choices.array(atMost: 50) { $0.int(in: Int.min...Int.max, edges: true) }
      choices.note("\(list)")
      try hold(Set(list).count < 3)
    }
    #expect(found.notes == ["[0, 1, -1]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `lists of lists with more than ten elements in all`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let lists = choices.array(atMost: 20) { choices in
        choices.array(atMost: 20) { $0.int(in: 0...99) }
      }
      choices.note("\(lists)")
      try hold(lists.joined().count <= 10)
    }
    #expect(found.notes == ["[[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a deletion that takes only the first of two`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let list = choices.array(atLeast: 1, atMost: 30) { $0.int(in: 0...1_000) }
      let element = choices.element(of: list)
      choices.note("\(list) \(element)")
      var rest = list
      rest.remove(at: list.firstIndex(of: element)!)
      try hold(!rest.contains(element))
    }
    #expect(found.notes == ["[0, 0] 0"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `two numbers that must be equal, or nearly`(seed: UInt64) throws {
    let equal = try smallest(cases: 50_000, seed: seed) { choices in
      let (left, right) = (choices.int(in: 0...1_000), choices.int(in: 0...1_000))
      choices.note("\(left) \(right)")
      try hold(left < 10 || left != right)
    }
    #expect(equal.notes == ["10 10"])
    let near = try smallest(cases: 50_000, seed: seed) { choices in
      let (left, right) = (choices.int(in: 0...1_000), choices.int(in: 0...1_000))
      choices.note("\(left) \(right)")
      try hold(left < 10 || !(1...4 ~= abs(left - right)))
    }
    #expect(near.notes == ["10 6"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a list of places that point at each other`(seed: UInt64) throws {
    let found = try smallest(cases: 20_000, seed: seed) { choices in
      let list = choices.array(atMost: 20) { $0.int(in: 0...10) }
      choices.note("\(list)")
      try choices.require(list.allSatisfy { list.indices.contains($0) })
      try hold(list.indices.allSatisfy { list[$0] == $0 || list[list[$0]] != $0 })
    }
    #expect(found.notes == ["[1, 0]"])
  }

  private indirect enum Term: CustomStringConvertible {
    case number(Int), sum(Term, Term), quotient(Term, Term)

    var description: String {
      switch self {
      case .number(let number): "\(number)"
      case .sum(let left, let right): "(\(left) + \(right))"
      case .quotient(let left, let right): "(\(left) / \(right))"
      }
    }

    init(_ choices: inout Choices, depth: Int = 0) {
      let kind = depth < 5 ? choices.next(below: 3) : 0
      if kind == 0 {
        self = .number(choices.int(in: -100...100))
        return
      }
      let left = Term(&choices, depth: depth + 1)
      let right = Term(&choices, depth: depth + 1)
      self = kind == 1 ? .sum(left, right) : .quotient(left, right)
    }

    var hasPlainZero: Bool {
      switch self {
      case .number: false
      case .sum(let left, let right): left.hasPlainZero || right.hasPlainZero
      case .quotient(_, .number(0)): true
      case .quotient(let left, let right): left.hasPlainZero || right.hasPlainZero
      }
    }

    var value: Int? {
      switch self {
      case .number(let number): return number
      case .sum(let left, let right):
        guard let left = left.value, let right = right.value else { return nil }
        return left &+ right
      case .quotient(let left, let right):
        guard let left = left.value, let right = right.value, right != 0 else { return nil }
        return left / right
      }
    }
  }

  @Test(arguments: UInt64(0)..<10)
  func `a term that divides by a hidden zero`(seed: UInt64) throws {
    let found = try smallest(cases: 20_000, seed: seed) { choices in
      let term = Term(&choices)
      choices.note("\(term)")
      try choices.require(!term.hasPlainZero)
      try hold(term.value != nil)
    }
    #expect(found.notes == ["(0 / (0 + 0))"])
  }
}
