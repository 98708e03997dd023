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

  @Test func `fewer than no commands cannot be drawn`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var (choices, system, model) = (Choices(seed: 1), 0, 0)
      try choices.run(NoCommand.self, atMost: -1, on: &system, against: &model)
    }
    expect(result, says: "at most -1 commands, 20 on average")
  }

  @Test func `a number of more than 64 bits cannot be drawn`() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var choices = Choices(seed: 1)
      _ = choices.number(in: 0...Int128.max)
    }
    expect(result, says: "Int128 has 128 bits, not 64 or less")
  }

  @Test func `a search that has not ended has no result, and one that has takes no case`() async {
    let early = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { _ = try Search("p", .fixed).result() }
    expect(early, says: "the search for 'p' has not ended")
    let late = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      var search = Search("p", .fixed)
      search.cancel()
      search.observe(Choices(seed: 1), error: nil)
    }
    expect(late, says: "the search for 'p' has ended")
  }
}

private struct NoCommand: ModelCommand {
  static func draw(from choices: inout Choices, for model: Int) -> NoCommand { NoCommand() }
  func run(on system: inout Int, against model: inout Int) {}
}
