package import PropertyTesting

/// Runs worlds, and makes one that breaks a law as simple as it goes.
package struct Simulator {
  /// Where a world takes its chances from.
  package enum Source: Hashable, Sendable {
    case seed(UInt64)
    case tape(Tape)

    package var choices: Choices {
      switch self {
      case .seed(let seed): Choices(seed: seed)
      case .tape(let tape): Choices(tape: tape)
      }
    }
  }

  /// A world in which a law did not hold.
  package struct Failure: Error, Sendable {
    package var source: Source
    package var violation: Violation
    /// What was chosen in it.
    package var choices: Choices
    package var report: WorldReport
    /// The faults that struck, the last ones last.
    package var story: [String]
  }

  package var options: WorldOptions

  package init(_ options: WorldOptions) { self.options = options }

  /// One world from its beginning to its end.
  package func run(_ source: Source) throws(Failure) -> WorldReport {
    let world = World(options, source.choices)
    do throws(Violation) {
      return try world.run()
    } catch {
      throw Failure(
        source: source, violation: error, choices: world.chance.choices, report: world.report,
        story: world.chance.story)
    }
  }

  /// The simplest world that was found in which the same law does not hold, after so many attempts at most.
  ///
  /// - Parameter progress: is told how many attempts there were.
  package func shrink(
    _ failure: Failure, attempts: Int, progress: (Int) -> Void = { _ in }
  ) -> Failure {
    var options = PropertyOptions.fixed
    options.cases = 1
    options.shrinksMax = attempts
    var search = Search("world", options)
    var best = failure
    var done = 0
    guard attempts > 0, search.next() != nil else { return failure }
    search.observe(failure.choices, error: failure.violation)
    while let choices = search.next() {
      let world = World(self.options, choices)
      var violation: Violation?
      do throws(Violation) { _ = try world.run() } catch { violation = error }
      // Another law is another story.
      if violation?.law != failure.violation.law { violation = nil }
      search.observe(world.chance.choices, error: violation)
      done += 1
      progress(done)
      if let violation {
        let tape = world.chance.choices.tape.withoutLastZeros
        if tape.numbers.count <= best.choices.tape.withoutLastZeros.numbers.count {
          best = Failure(
            source: .tape(tape), violation: violation, choices: world.chance.choices,
            report: world.report, story: world.chance.story)
        }
      }
    }
    return best
  }
}
