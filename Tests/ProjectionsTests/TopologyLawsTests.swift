import EventStorage
import Events
import Projections
import Testing

/// The laws of a projection, for the two that fold topology.
@Suite struct TopologyLawsTests {
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

  /// Runs a check on random records, for both projections.
  private func forEachStory(
    of topics: [TopologyStory.Topic] = [.topology], count: Int = 100,
    _ check: (inout TopologyStory, [Told], any Projection.Type) throws -> Void
  ) throws {
    for seed in 0..<count {
      var story = TopologyStory(seed: UInt64(seed))
      let told = try story.records(1 + story.below(60), of: topics)
      try check(&story, told, Directory.self)
      try check(&story, told, RoutingTable.self)
    }
  }

  @Test func `law 2: any split into batches gives the same fold`() throws {
    func check(
      _ story: inout TopologyStory, _ told: [Told], _ type: (some Projection).Type
    ) {
      var state = type.init()
      for batch in story.batches(of: told) { state.hear(batch) }
      #expect(canonical(state) == canonical(folded(told, as: type)))
      #expect(state.counts == folded(told, as: type).counts)
    }
    try forEachStory(of: [.topology, .observations]) { check(&$0, $1, $2) }
  }

  @Test func `law 3: a state at every position, written and read, goes on to the straight fold`()
    throws
  {
    func check<State: Projection>(_ told: [Told], _ type: State.Type) throws {
      let straight = canonical(folded(told, as: type))
      for count in 0...told.count {
        let bytes = canonical(folded(told[..<count], as: type))
        var state = try State(decoding: bytes.span.bytes)
        #expect(canonical(state) == bytes)
        state.hear(told[count...])
        #expect(canonical(state) == straight)
      }
    }
    try forEachStory(of: [.topology, .observations], count: 15) { try check($1, $2) }
  }

  @Test func `laws 4 and 5: rewinds and duplicates change nothing`() throws {
    func check<State: Projection>(
      _ story: inout TopologyStory, _ told: [Told], _ type: State.Type
    ) {
      var fold = Fold<State>(Partition(.topology, 0))
      var read = 0
      while read < told.count {
        let from = story.below(read + 1)
        let end = min(told.count, from + 1 + story.below(9))
        let before = fold.position
        fold.hear(told[from..<end])
        #expect(fold.position >= before)
        read = max(read, end)
      }
      #expect(canonical(fold.state) == canonical(folded(told, as: type)))
    }
    try forEachStory { check(&$0, $1, $2) }
  }

  @Test func `law 6: a compacted log folds to the same state`() throws {
    func check(
      _ story: inout TopologyStory, _ told: [Told], _ type: (some Projection).Type
    ) {
      let compacted = story.compaction(of: told)
      #expect(canonical(folded(compacted, as: type)) == canonical(folded(told, as: type)))
    }
    try forEachStory { check(&$0, $1, $2) }
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
