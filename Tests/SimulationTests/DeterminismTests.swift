import PropertyTesting
import Simulation
import Testing

@Suite struct DeterminismTests {
  @Test(arguments: 0..<5 as Range<UInt64>)
  func `the same seed gives the same trace (law 32)`(_ seed: UInt64) throws {
    var options = WorldOptions()
    options.steps = 300
    let first = try World(options, Choices(seed: seed)).run()
    let second = try World(options, Choices(seed: seed)).run()
    #expect(first == second)
  }
}
