import PropertyTesting
import Testing

/// A key-value store that forgets tombstones: a compaction drops one although an older value of the key still lies in a segment that
/// it does not touch.
private struct HastyStore {
  var segments: [[Int: Int?]] = [[:]]

  mutating func set(_ key: Int, _ value: Int?) { segments[segments.count - 1][key] = .some(value) }
  mutating func roll() { segments.append([:]) }
  mutating func compact() {
    guard segments.count > 2 else { return }
    // The bug: the first segment is left as it is, and the tombstones that hide its values go.
    let last = segments.count - 1
    for index in 1..<last { segments[index] = segments[index].filter { $0.value != nil } }
  }
  func value(of key: Int) -> Int? {
    segments.last { $0[key] != nil }.flatMap { $0[key] } ?? nil
  }
}

private enum StoreCommand: ModelCommand {
  case put(Int, Int), delete(Int), roll, compact

  static func draw(from choices: inout Choices, for model: [Int: Int]) -> StoreCommand {
    switch choices.next(below: 4) {
    case 0: .put(choices.int(in: 0...3), choices.int(in: 0...9))
    case 1: .delete(choices.int(in: 0...3))
    case 2: .roll
    default: .compact
    }
  }

  func isAllowed(in model: [Int: Int]) -> Bool {
    if case .delete(let key) = self { model[key] != nil } else { true }
  }

  func run(on system: inout HastyStore, against model: inout [Int: Int]) throws {
    switch self {
    case .put(let key, let value):
      system.set(key, value)
      model[key] = value
    case .delete(let key):
      try hold(model[key] != nil, "only what is there is deleted")
      system.set(key, nil)
      model[key] = nil
    case .roll: system.roll()
    case .compact: system.compact()
    }
    for key in 0...3 { try hold(system.value(of: key), equals: model[key], "key \(key)") }
  }
}

/// A counter that goes wrong at its fourth step.
private actor Counter {
  private(set) var count = 0
  func step() { count += count == 3 ? 2 : 1 }
}

private enum CounterCommand: AsyncModelCommand {
  case step, look

  static func draw(from choices: inout Choices, for model: Int) -> CounterCommand {
    choices.bool() ? .look : .step
  }

  func run(on system: inout Counter, against model: inout Int) async throws {
    switch self {
    case .step:
      await system.step()
      model += 1
    case .look: try hold(await system.count, equals: model)
    }
  }
}

/// Commands that are never or always allowed.
private enum OddCommand: ModelCommand {
  case never, always

  static func draw(from choices: inout Choices, for model: Int) -> OddCommand {
    choices.bool() ? .always : .never
  }
  func isAllowed(in model: Int) -> Bool { self == .always }
  func run(on system: inout Int, against model: inout Int) throws { system += 1 }
}

@Suite struct ModelCommandTests {
  @Test(arguments: UInt64(0)..<10)
  func `a tombstone that is dropped too early is found in five commands`(seed: UInt64) throws {
    let found = try smallest(seed: seed) { choices in
      var (store, model) = (HastyStore(), [Int: Int]())
      try choices.run(StoreCommand.self, atMost: 100, on: &store, against: &model)
    }
    #expect(
      found.notes == ["1. put(0, 0)", "2. roll", "3. delete(0)", "4. roll", "5. compact"])
    #expect(found.replays < 1_000)
    #expect("\(found.error)".hasPrefix("key 0: Optional(0) is not nil"))
  }

  @Test func `a system that waits is run against its model too`() async throws {
    let failure = await #expect(throws: PropertyFailure.self) {
      try await forAll("a counter counts", .fixed) { choices in
        var (counter, model) = (Counter(), 0)
        try await choices.run(CounterCommand.self, atMost: 30, on: &counter, against: &model)
      }
    }
    #expect(
      failure?.counterexample?.notes
        == ["1. step", "2. step", "3. step", "4. step", "5. look"])
  }

  @Test func `no more commands are drawn than allowed, and those not allowed do not run`() throws {
    let report = try forAll("limits", .fixed) { choices in
      var (ran, model) = (0, 0)
      let count = try choices.run(OddCommand.self, atMost: 5, mean: 50, on: &ran, against: &model)
      try hold(count == ran && ran <= 5)
      let drawn = choices.taken.count / 2
      try hold(drawn <= 5, equals: true)
      choices.label("\(ran)")
    }
    #expect(report.labels.keys.sorted() == ["0", "1", "2", "3", "4", "5"])
    var (choices, ran, model) = (Choices(seed: 1), 0, 0)
    #expect(try choices.run(OddCommand.self, atMost: 0, on: &ran, against: &model) == 0)
  }
}
