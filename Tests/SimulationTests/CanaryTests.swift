import PropertyTesting
import Simulation
import Testing

/// Bugs that are planted on purpose (law 33).
@Suite struct CanaryTests {
  /// Each is found within so many seeds. Worlds without it, of the same seeds, break no law.
  private static let seedsMax: [Canary: UInt64] = [
    .skipSync: 10, .acknowledgeEarly: 10, .acceptStaleWriter: 20, .forgetSnapshotField: 60,
    .dropTombstoneEarly: 120, .resumePastHorizon: 250, .readUncommitted: 10, .forgetFence: 40,
    .forgetSequence: 10, .answerBeforeCommit: 10, .guessAfterTimeout: 40, .compactPastStable: 30,
    .hidePending: 40,
  ]
  private static let laws: [Canary: Set<Int>] = [
    .skipSync: [13], .acknowledgeEarly: [13, 18, 27, 32], .acceptStaleWriter: [16],
    .forgetSnapshotField: [3, 6], .dropTombstoneEarly: [6, 26, 27],
    .resumePastHorizon: [3, 6, 26, 27], .readUncommitted: [13, 32], .forgetFence: [13, 16],
    .forgetSequence: [13, 18], .answerBeforeCommit: [13, 18], .guessAfterTimeout: [13],
    .compactPastStable: [6, 13], .hidePending: [31],
  ]

  @Test(arguments: Canary.allCases)
  func `a planted bug is found within a stated number of seeds (law 33)`(
    _ canary: Canary
  ) throws {
    var options = WorldOptions()
    options.log = canary.log
    options.steps = canary.log == .kafka ? 3000 : 1000
    let clean = Simulator(options)
    options.canary = canary
    let planted = Simulator(options)
    let seeds = try #require(Self.seedsMax[canary])
    for seed in 0..<seeds {
      do throws(Simulator.Failure) {
        _ = try planted.run(.seed(seed))
      } catch let failure {
        #expect(Self.laws[canary]?.contains(failure.violation.law) == true, "\(failure.violation)")
        // The same world without the bug breaks nothing.
        _ = try clean.run(.seed(seed))
        return
      }
    }
    Issue.record("\(canary.rawValue) was not found in \(seeds) worlds")
  }

  @Test func `a failing world is made simpler, and its tape breaks the same law`() throws {
    var options = WorldOptions()
    options.steps = 600
    options.canary = .acceptStaleWriter
    let simulator = Simulator(options)
    for seed in 0..<20 as Range<UInt64> {
      do throws(Simulator.Failure) {
        _ = try simulator.run(.seed(seed))
      } catch let failure {
        let shrunk = simulator.shrink(failure, attempts: 100)
        let tape = shrunk.choices.tape.withoutLastZeros
        #expect(tape.numbers.count < failure.choices.tape.numbers.count)
        do throws(Simulator.Failure) {
          _ = try simulator.run(.tape(tape))
          Issue.record("the tape of the simplest world breaks no law")
        } catch let again {
          #expect(again.violation == shrunk.violation)
        }
        return
      }
    }
    Issue.record("nothing was found")
  }
}
