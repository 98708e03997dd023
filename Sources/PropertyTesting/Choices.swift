/// Where a property takes everything from that is not fixed: a tape of bounded numbers.
///
/// A fresh tape is filled at random as it is read. A tape that is given is read again, which repeats a case; a case is made
/// simpler by deleting and lowering numbers of its tape, so whatever is built from choices shrinks: mapped, dependent on
/// earlier choices, or commands. Zero is the simplest choice everywhere, and a tape that has ended goes on with zeros.
public struct Choices: Sendable {
  /// A tape is no longer than this. What is chosen after it is zero, so that a generator that recurs without end does end; one that
  /// still goes on after as many zeros stops the program.
  public static let choicesMax = 1 << 20

  private var random: SplitMix64?
  private var given: [UInt64]
  private var place = 0
  private var zeros = 0

  /// What has been chosen, and below which bound.
  public private(set) var taken: [Choice] = []
  /// What the case was called, for the frequencies in a report.
  public private(set) var labels: [String] = []
  /// What the case says about itself in a failure.
  public private(set) var notes: [String] = []
  /// Whether `note` keeps what it is told. A search asks for it only when a case has failed, so that notes cost nothing before.
  public internal(set) var isNoting = true

  /// One number of a tape.
  public struct Choice: Hashable, Sendable {
    /// The number, below `bound`.
    public var value: UInt64
    /// How many numbers it could have been.
    public var bound: UInt64
  }

  /// Choices at random, the same ones for the same seed.
  public init(seed: UInt64) {
    random = SplitMix64(seed: seed)
    given = []
  }

  /// The choices of a tape, then zeros.
  public init(tape: Tape) {
    random = nil
    given = tape.numbers
  }

  /// The choices of a tape, then choices at random.
  public init(tape: Tape, seed: UInt64) {
    random = SplitMix64(seed: seed)
    given = tape.numbers
  }

  /// What has been chosen, as a tape that repeats it.
  public var tape: Tape { Tape(taken.map(\.value)) }

  /// A number below `bound`: everything else is built from it.
  ///
  /// - Precondition: `bound` is 1 or more.
  public mutating func next(below bound: UInt64) -> UInt64 { next(below: bound, edges: false) }

  /// A number below `bound`; with `edges`, small ones and the last ones come more often.
  mutating func next(below bound: UInt64, edges: Bool) -> UInt64 {
    demand(bound > 0, "a choice needs something to choose from")
    guard taken.count < Choices.choicesMax else {
      zeros += 1
      demand(
        zeros < Choices.choicesMax,
        "\(zeros) zeros after \(Choices.choicesMax) choices: a generator waits for another number, or the case is too long"
      )
      return 0
    }
    let value = read(below: bound, edges: edges)
    taken.append(Choice(value: value, bound: bound))
    return value
  }

  private mutating func read(below bound: UInt64, edges: Bool) -> UInt64 {
    if place < given.count {
      defer { place += 1 }
      return min(given[place], bound - 1)
    }
    return (edges ? random?.edgy(below: bound) : random?.next(below: bound)) ?? 0
  }

  /// Counts the case under a name. What a generator never makes is seen in the frequencies.
  public mutating func label(_ name: String) { labels.append(name) }

  /// Says something about the case when it fails: the value that was built, or what was done with it.
  public mutating func note(_ text: @autoclosure () -> String) {
    if isNoting { notes.append(text()) }
  }

  /// Leaves the case out: it is not one that the property speaks of.
  public func require(_ condition: Bool) throws(Discarded) {
    if !condition { throw Discarded() }
  }
}

/// Thrown to leave a case out.
public struct Discarded: Error, Sendable {
  /// A case that does not count.
  public init() {}
}
