import PropertyTesting
import Testing

// The examples of docs/property-testing.md, word for word: GuideTests compares them.

struct Change: Equatable {
  var key: Int
  var value: Int?
}

/// What is there after these changes.
func fold(_ changes: [Change]) -> [Int: Int] {
  changes.reduce(into: [:]) { state, change in state[change.key] = change.value }
}

/// The last change of each key. It has a bug.
func compact(_ changes: [Change]) -> [Change] {
  var seen: Set<Int> = []
  return changes.reversed()
    .filter { change in change.value != nil && seen.insert(change.key).inserted }
    .reversed()
}

@Suite(.disabled("they fail, as they should: GuideTests looks how"))
struct FailingGuideExamples {
  func compactionKeepsTheState(_ choices: inout Choices) throws {
    let changes = choices.array(atMost: 50) { choices in
      Change(key: choices.int(in: 0...3), value: choices.optional { $0.int(in: 0...99) })
    }
    choices.note("changes: \(changes.map { "\($0.key)=\($0.value.map(String.init) ?? "-")" })")
    try hold(fold(compact(changes)), equals: fold(changes))
  }

  @Test func `compaction keeps the state`() throws {
    try forAll("compaction keeps the state") { try compactionKeepsTheState(&$0) }
  }
}

func change(_ choices: inout Choices, keys: Int) -> Change {
  let key = choices.int(in: 0...keys - 1)
  return choices.oneIn(4) ? Change(key: key) : Change(key: key, value: choices.int(in: 0...99))
}

func changes(_ choices: inout Choices) -> [Change] {
  // A later choice may depend on an earlier one.
  let keys = choices.int(in: 1...5)
  return choices.array(atMost: 50) { change(&$0, keys: keys) }
}

@Test func `changes have tombstones and repeated keys`() throws {
  let options = PropertyOptions(cases: 500, mustSee: ["tombstone": 0.5, "repeated key": 0.5])
  let report = try forAll("changes are of all kinds", options) { choices in
    let changes = changes(&choices)
    if changes.contains(where: { $0.value == nil }) { choices.label("tombstone") }
    if Set(changes.map(\.key)).count < changes.count { choices.label("repeated key") }
  }
  #expect(report.cases == 500)
}

@Test func `no three changes of two keys break the fold`() throws {
  let report = try forEvery("folds agree", atMost: 10_000) { choices in
    let changes = choices.array(atMost: 3, mean: 1) { choices in
      Change(key: choices.int(in: 0...1), value: choices.optional { $0.int(in: 0...1) })
    }
    let last = changes.last.map { fold(changes)[$0.key] == $0.value } ?? true
    try hold(last, "the last change wins")
  }
  #expect(report.isComplete)
}

/// Remembers its last four numbers. It has a bug.
struct Recent {
  private var numbers: [Int] = []
  mutating func push(_ number: Int) {
    numbers.append(number)
    if numbers.count > 4 { numbers.removeFirst(2) }
  }
  mutating func pop() -> Int { numbers.removeLast() }
  var count: Int { numbers.count }
}

enum RecentCommand: ModelCommand {
  case push(Int), pop

  static func draw(from choices: inout Choices, for model: [Int]) -> RecentCommand {
    choices.bool() ? .pop : .push(choices.int(in: 0...9))
  }

  func isAllowed(in model: [Int]) -> Bool {
    if case .pop = self { !model.isEmpty } else { true }
  }

  func run(on system: inout Recent, against model: inout [Int]) throws {
    switch self {
    case .push(let number):
      system.push(number)
      model = (model + [number]).suffix(4)
    case .pop: try hold(system.pop(), equals: model.removeLast())
    }
    try hold(system.count, equals: model.count, "the count")
  }
}

func recentRemembersFour(_ choices: inout Choices) throws {
  var (recent, model) = (Recent(), [Int]())
  try choices.run(RecentCommand.self, atMost: 60, on: &recent, against: &model)
}
