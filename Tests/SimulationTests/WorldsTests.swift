import PropertyTesting
import Simulation
import Testing

/// What CI runs: 500 worlds, each with faults of its own.
@Suite struct WorldsTests {
  private static let worlds: UInt64 = 500
  private static let parts: UInt64 = 5

  private func run(_ seeds: Range<UInt64>, steps: Int) throws -> [String: Int] {
    var options = WorldOptions()
    options.steps = steps
    let simulator = Simulator(options)
    var seen: [String: Int] = [:]
    for seed in seeds {
      do throws(Simulator.Failure) {
        let report = try simulator.run(.seed(seed))
        for fault in report.faults { seen[fault.name, default: 0] += fault.count }
        for (name, count) in report.counts.all { seen[name, default: 0] += count }
      } catch let failure {
        Issue.record(
          "\(failure.violation); again: signalbox simulate --seed \(seed) --steps \(steps)")
      }
    }
    return seen
  }

  @Test(arguments: 0..<parts)
  func `no law is broken in a hostile world`(_ part: UInt64) throws {
    let count = Self.worlds / Self.parts
    let seen = try run(part * count..<(part + 1) * count, steps: 800)
    // What never happens is not tested.
    let expected = [
      "loss", "double", "reorder", "clog", "partition", "kill", "powerCut", "powerCutInWrite",
      "pause", "clockJump", "shortWrite", "takeover", "rewind", "poison",
      "flap", "oldToken", "wrongToken", "slowReader", "resumes", "stale writes", "compactions",
      "snapshots stored", "states", "reads",
    ]
    for name in expected {
      #expect(seen[name, default: 0] > 0, "\(name) never happened in part \(part)")
    }
    for what in ["states", "views"] {
      let (compared, skipped) = (seen[what, default: 0], seen["\(what) skipped", default: 0])
      #expect(compared > 3 * skipped, "of \(what), \(compared) were compared, \(skipped) were not")
    }
  }

  @Test func `a long world meets what is rare`() throws {
    let seen = try run(0..<30, steps: 3000)
    for name in ["bitRot", "damages found", "diskFull", "wipe", "misdirected", "snapshots refused"]
    {
      #expect(seen[name, default: 0] > 0, "\(name) never happened")
    }
  }

  @Test func `five instances, fifty nodes and two hundred clients`() throws {
    var options = WorldOptions.large
    options.steps = 3000
    let report = try Simulator(options).run(.seed(1))
    #expect(report.counts.acknowledged > 50)
  }
}
