import PropertyTesting
import Simulation
import Testing

/// What CI runs on a simulated cluster of Kafka's brokers: 300 worlds, each with faults of its own.
@Suite struct KafkaWorldsTests {
  private static let worlds: UInt64 = 300
  private static let parts: UInt64 = 6
  private static let steps = 2000

  private func options(_ steps: Int) -> WorldOptions {
    var options = WorldOptions()
    options.log = .kafka
    options.steps = steps
    return options
  }

  private func run(_ seeds: some Sequence<UInt64>, steps: Int) throws -> [String: Int] {
    let simulator = Simulator(options(steps))
    var seen: [String: Int] = [:]
    for seed in seeds {
      do throws(Simulator.Failure) {
        let report = try simulator.run(.seed(seed))
        for fault in report.faults { seen[fault.name, default: 0] += fault.count }
        for (name, count) in report.counts.all { seen[name, default: 0] += count }
      } catch let failure {
        Issue.record(
          "\(failure.violation); again: signalbox simulate --log kafka --seed \(seed) --steps \(steps)"
        )
      }
    }
    return seen
  }

  @Test(arguments: 0..<parts)
  func `no law is broken in a hostile world on Kafka`(_ part: UInt64) throws {
    let count = Self.worlds / Self.parts
    let seen = try run(part * count..<(part + 1) * count, steps: Self.steps)
    // What never happens is not tested.
    let expected = [
      "loss", "double", "reorder", "clog", "partition", "kill", "powerCut", "pause", "clockJump",
      "leaderChange", "coordinatorChange", "answerLost", "fences", "commits", "aborts",
      "transactions timed out", "unknown outcomes", "resumes", "snapshots stored", "states",
      "reads", "folds begun anew",
    ]
    for name in expected {
      #expect(seen[name, default: 0] > 0, "\(name) never happened in part \(part)")
    }
  }

  @Test func `a long world meets what is rare`() throws {
    let seen = try run(0..<12, steps: 8000)
    for name in [
      "compactions", "snapshots refused", "ranges read", "doubled appends", "stale writes",
      "abandoned", "takeover",
    ] {
      #expect(seen[name, default: 0] > 0, "\(name) never happened")
    }
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `the same seed gives the same trace, and its tape does too (law 32)`(
    _ seed: UInt64
  ) throws {
    let options = options(1500)
    let world = World(options, Choices(seed: seed))
    let first = try world.run()
    #expect(try World(options, Choices(seed: seed)).run() == first)
    #expect(try World(options, Choices(tape: world.chance.choices.tape)).run() == first)
  }

  /// In debug and release, on any machine; see `DeterminismTests`.
  @Test func `the trace of a seed is the one that is written here`() throws {
    let report = try World(options(2000), Choices(seed: 7)).run()
    #expect(report.traceHash.description == "bb866128bfd0165e")
  }

  @Test func `a tape without choices is a world without faults`() throws {
    let report = try World(options(4000), Choices(tape: Tape([]))).run()
    #expect(report.faults.isEmpty)
    #expect(report.counts.acknowledged > 50)
    #expect(report.counts.reads > 20)
    #expect(report.counts.streamChecks > 0)
  }
}
