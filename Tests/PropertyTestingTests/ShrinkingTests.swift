import PropertyTesting
import Testing

/// Runs a property that is false, whatever the environment says, and gives the simplest case that was found.
func smallest(
  _ name: String = "a false property", cases: Int = 2_000, seed: UInt64 = 0,
  shrinksMax: Int = 10_000, _ property: (inout Choices) throws -> Void
) throws -> Counterexample {
  var options = PropertyOptions.fixed
  options.cases = cases
  options.seed = seed
  options.shrinksMax = shrinksMax
  let failure = try #require(throws: PropertyFailure.self) {
    try forAll(name, options, property)
  }
  let found = try #require(failure.counterexample, "\(failure)")
  #expect(found.isRepeatable)
  #expect(!found.isCutShort)
  return found
}

/// What shrinking must reach, exactly, from any seed.
@Suite struct ShrinkingTests {
  @Test(arguments: UInt64(0)..<10)
  func `no element above 400 shrinks to one element of 401`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let list = choices.array(atMost: 50) { $0.int(in: 0...1_000) }
      choices.note("\(list)")
      try hold(list.allSatisfy { $0 <= 400 })
    }
    #expect(found.notes == ["[401]"])
    #expect(found.tape.description == "1.401.0")
    #expect(found.replays < 200)
  }

  @Test(arguments: UInt64(0)..<10)
  func `what depends on an earlier choice shrinks with it`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let limit = choices.int(in: 0...1_000)
      let list = choices.array(atMost: 50) { $0.int(in: 0...limit) }
      choices.note("\(limit) \(list)")
      try hold(list.reduce(0, +) < 38)
    }
    #expect(found.notes == ["38 [38]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a counted list shrinks its count`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let count = choices.int(in: 0...40)
      let list = (0..<count).map { _ in choices.int(in: 0...99) }
      choices.note("\(list)")
      try hold(!list.contains { $0 > 50 })
    }
    #expect(found.notes == ["[51]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a list that is not its reverse shrinks to 0 and 1`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let list = choices.array(atMost: 50) { $0.int(in: 0...1_000) }
      choices.note("\(list)")
      try hold(list, equals: list.reversed())
    }
    #expect(found.notes == ["[0, 1]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a list that is not sorted shrinks to 1 and 0`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let list = choices.array(atMost: 50) { $0.int(in: 0...1_000) }
      choices.note("\(list)")
      try hold(list, equals: list.sorted())
    }
    #expect(found.notes == ["[1, 0]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a sort that loses equal elements shrinks to two zeros`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let list = choices.array(atMost: 50) { $0.int(in: 0...100) }
      choices.note("\(list)")
      try hold(Set(list).sorted(), equals: list.sorted())
    }
    #expect(found.notes == ["[0, 0]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `equal numbers are lowered together`(seed: UInt64) throws {
    let found = try smallest(cases: 20_000, seed: seed) { choices in
      let list = choices.array(atMost: 30) { $0.int(in: 0...100) }
      choices.note("\(list)")
      let isDouble = zip(list, list.dropFirst()).contains { $0 > 9 && $0 == $1 }
      try hold(!isDouble)
    }
    #expect(found.notes == ["[10, 10]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a sum is carried into the last number`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let range = 0...1_000_000_000
      let (left, right) = (choices.int(in: range), choices.int(in: range))
      choices.note("\(left) \(right)")
      try hold(left + right < 1_000_000_000)
    }
    #expect(found.notes == ["0 1000000000"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `what one number loses another gains`(seed: UInt64) throws {
    let found = try smallest(cases: 50_000, seed: seed) { choices in
      let (left, right) = (choices.int(in: 0...3_000), choices.int(in: 0...5_000))
      choices.note("\(left) \(right)")
      try hold(left + right != 3_000)
    }
    #expect(found.notes == ["0 3000"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a counted list loses its first elements`(seed: UInt64) throws {
    let found = try smallest(cases: 20_000, seed: seed) { choices in
      let count = choices.int(in: 0...40)
      let list = (0..<count).map { _ in choices.int(in: 0...1_000) }
      choices.note("\(list)")
      let isRising = zip(list, list.dropFirst()).allSatisfy { $0 < $1 }
      try hold(count == 1 || !isRising || (list.last ?? 0) <= 900)
    }
    #expect(found.notes == ["[0, 901]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `what may stand in any order is sorted`(seed: UInt64) throws {
    let found = try smallest(cases: 20_000, seed: seed) { choices in
      let list = choices.array(atMost: 50, mean: 30) { $0.int(in: 0...60) }
      choices.note("\(list)")
      try hold(!Set(list).isSuperset(of: [10, 20, 30]))
    }
    #expect(found.notes == ["[10, 20, 30]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a count is lowered with what it counts`(seed: UInt64) throws {
    let found = try smallest(cases: 20_000, seed: seed) { choices in
      let count = choices.int(in: 0...40)
      let list = (0..<count).map { _ in choices.int(in: 0...1_000) }
      choices.note("\(list)")
      try hold(list.count { $0 > 500 } < 5)
    }
    #expect(found.notes == ["[501, 501, 501, 501, 501]"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `numbers that must all be zero become so together`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      let list = choices.array(atLeast: 4, atMost: 4) { $0.int(in: 0...1_000) }
      let last = choices.int(in: 0...1_000)
      choices.note("\(list) \(last)")
      let isOdd = list == [0, 0, 0, 0] || zip(list, 0...).allSatisfy { $0 > $1 }
      try hold(!isOdd || last <= 10)
    }
    #expect(found.notes == ["[0, 0, 0, 0] 11"])
  }

  @Test(arguments: UInt64(0)..<10)
  func `a number on both sides of zero keeps the sign that matters`(seed: UInt64) throws {
    let above = try smallest(seed: seed) { choices in
      let number = choices.int(in: Int.min...Int.max, edges: true)
      choices.note("\(number)")
      try hold(number <= 12_345)
    }
    #expect(above.notes == ["12346"])
    let below = try smallest(seed: seed) { choices in
      let number = choices.int(in: -5_000...9_000)
      choices.note("\(number)")
      try hold(number > -1_234)
    }
    #expect(below.notes == ["-1234"])
  }

  @Test func `one culprit deep in a long list is found in few replays`() throws {
    var isFound = false
    let found = try smallest { choices in
      let list = choices.array(atMost: 2_000, mean: 500) { $0.int(in: 0...9_999) }
      choices.note("\(list)")
      if !isFound { isFound = list.count > 1_000 && list[600...].contains(7_777) }
      try hold(!(isFound && list.contains(7_777)))
    }
    #expect(found.notes == ["[7777]"])
    #expect(found.replays < 300)
  }
}
