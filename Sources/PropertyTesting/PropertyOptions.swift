/// How many cases of a property are tried, which ones, and how long a failing one is made simpler.
public struct PropertyOptions: Sendable {
  /// How many cases must hold.
  public var cases = 1_000
  /// Gives the cases: the same seed gives the same ones, on any machine.
  public var seed: UInt64 = 0
  /// How many simpler cases are tried once one has failed. 0 leaves the failing case as it was found.
  public var shrinksMax = 10_000
  /// How many cases may be left out for each that counts, by `Choices.require`.
  public var discardsPerCaseMax = 10
  /// The least share of the cases, 0 to 1, that must bear a label: what a generator never makes is not tested.
  public var mustSee: [String: Double] = [:]
  /// When given, this one case is run, as it is.
  public var tape: Tape?
  /// Tapes for the properties of these names, from the environment. `tape` goes first.
  public var tapesByName: [String: Tape] = [:]
  /// What of the environment could not be read. A property says it instead of running.
  public var problems: [String] = []

  /// The defaults, whatever the environment says: for what must not depend on it.
  public static var fixed: PropertyOptions { PropertyOptions { _ in nil } }

  /// What the environment says, and these values where they are given.
  public init(
    cases: Int? = nil, seed: UInt64? = nil, shrinksMax: Int? = nil,
    mustSee: [String: Double] = [:], tape: Tape? = nil
  ) {
    self = .standard
    self.cases = cases ?? self.cases
    self.seed = seed ?? self.seed
    self.shrinksMax = shrinksMax ?? self.shrinksMax
    self.mustSee = mustSee
    self.tape = tape
  }

  /// The number that a text stands for as a seed: itself if it is one, or else a hash of it that never changes.
  public static func seed(of text: String) -> UInt64 {
    if let number = UInt64(text) { return number }
    // FNV-1a: the standard library's hashing is different in every process.
    return text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
  }

  /// The one case to run for the property of a name, if only one is to be run.
  func tape(for name: String) -> Tape? { tape ?? tapesByName[name] }

  /// What makes these options unusable.
  var allProblems: [String] {
    var found = problems
    if cases < 1 { found.append("cases is \(cases): at least one case must be tried") }
    if shrinksMax < 0 { found.append("shrinksMax is \(shrinksMax): use 0 to shrink nothing") }
    if discardsPerCaseMax < 0 {
      found.append("discardsPerCaseMax is \(discardsPerCaseMax): use 0 to allow no discards")
    }
    for (label, share) in mustSee.sorted(by: { $0.key < $1.key }) where !(0...1 ~= share) {
      found.append("mustSee[\"\(label)\"] is \(share): a share is 0 to 1")
    }
    return found
  }
}
