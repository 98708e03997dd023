import PropertyTesting
import Testing

/// What no case can mean stops the program, in release too, and says why.
@Suite struct PreconditionTests {
  private func expect(_ result: ExitTest.Result?, says text: String) {
    let said = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(said.contains(text), "\(said)")
  }

  @Test func `weights that sum to 0 cannot be chosen from`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var choices = Choices(seed: 1)
      _ = choices.weighted([(0, 1)])
    }
    expect(result, says: "the weights sum to 0")
  }

  @Test func `a negative weight cannot be chosen from`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var choices = Choices(seed: 1)
      _ = choices.weighted([(2, 1), (-1, 2)])
    }
    expect(result, says: "a weight is -1")
  }

  @Test func `an element of nothing cannot be chosen from`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var choices = Choices(seed: 1)
      _ = choices.element(of: [Int]())
    }
    expect(result, says: "there is none")
  }

  @Test func `a list of more than its most cannot be chosen from`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var choices = Choices(seed: 1)
      _ = choices.array(atLeast: 3, atMost: 2) { $0.bool() }
    }
    expect(result, says: "at least 3 and at most 2")
  }

  @Test func `a negative mean cannot be chosen from`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var choices = Choices(seed: 1)
      _ = choices.array(atMost: 2, mean: -1) { $0.bool() }
    }
    expect(result, says: "-1 elements on average")
  }

  @Test func `a choice among nothing cannot be chosen from`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var choices = Choices(seed: 1)
      _ = choices.next(below: 0)
    }
    expect(result, says: "something to choose from")
  }

  @Test func `a generator that never ends is stopped`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var choices = Choices(tape: Tape([]))
      while choices.next(below: 3) != 2 {}
    }
    expect(result, says: "zeros after 1048576 choices: a generator waits for another number")
  }
}
