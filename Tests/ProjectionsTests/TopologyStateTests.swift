import EventStorage
import Events
import Projections
import Testing

/// Law 3, on bytes that no fold wrote: for the two that fold topology.
@Suite struct TopologyStateTests {
  private func canonical(_ state: some Projection) -> [UInt8] {
    var bytes: [UInt8] = []
    state.encode(into: &bytes)
    return bytes
  }

  private func folded<State: Projection>(
    _ told: some Collection<Told>, as type: State.Type
  ) -> State {
    var state = State()
    state.hear(told)
    return state
  }

  @Test func `bytes that are no state are refused, and what is read is canonical`() throws {
    func check<State: Projection>(_ told: [Told], _ type: State.Type) {
      let bytes = canonical(folded(told, as: type))
      for count in bytes.indices {
        let short = Array(bytes[..<count])
        #expect(throws: SnapshotFailure.self) { try State(decoding: short.span.bytes) }
      }
      for bit in 0..<bytes.count * 8 {
        var flipped = bytes
        flipped[bit / 8] ^= 1 << UInt8(bit % 8)
        if let state = try? State(decoding: flipped.span.bytes) {
          #expect(canonical(state) == flipped)
        }
      }
    }
    for seed in 0..<3 {
      var story = TopologyStory(seed: UInt64(seed))
      let told = try story.records(20, of: [.topology, .observations])
      check(told, Directory.self)
      check(told, RoutingTable.self)
    }
  }
}
