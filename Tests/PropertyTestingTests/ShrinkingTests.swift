import PropertyTesting
import Testing

@Suite struct ShrinkingTests {
  @Test func `no element above 400 shrinks to one element of 401`() throws {
    let found = try #require(throws: PropertyFailure.self) {
      try forAll("no element above 400") { choices in
        let list = choices.array(atMost: 50) { $0.int(in: 0...1_000) }
        choices.note("\(list)")
        try hold(list.allSatisfy { $0 <= 400 })
      }
    }
    #expect(found.counterexample?.notes == ["[401]"])
  }
}
