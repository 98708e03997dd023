/// Makes the tape of a failing case simpler for as long as something simpler fails too.
///
/// A tape is simpler when it is shorter, or as long and smaller in the first number that differs. Rounds of moves are tried until a
/// whole round finds nothing. Then the end of the tape is drawn again a few times, as two small elements may stand for one
/// large one, which no move finds.
struct Shrinker: Sendable {
  /// How often the end of the tape is drawn again before the search ends.
  static let redrawsMax = 96
  /// Something shorter than a longer tape is too rare to be drawn.
  static let redrawnCountMax = 64

  /// What to try next; nil when nothing simpler is left to try.
  private(set) var candidate: Choices?

  private var best: [Choices.Choice]
  private var round: Round
  private var attempt: Attempt?
  private var isImproved = false
  private var tried: Set<UInt64> = []
  private var redraws = 0

  /// Begins with the failing case, which is repeated first.
  init(_ choices: Choices) {
    best = choices.taken
    round = Round()
    let values = best.map(\.value)
    tried = [Shrinker.hash(values)]
    candidate = Choices(tape: Tape(values))
  }

  /// Takes in how the candidate went; true when it is the simplest failing case now.
  mutating func observe(_ choices: Choices, fails: Bool) -> Bool {
    let isAccepted = fails && isSimpler(choices.taken)
    if isAccepted {
      best = choices.taken
      isImproved = true
    }
    attempt?.observe(isAccepted: isAccepted)
    advance()
    return isAccepted
  }

  private mutating func advance() {
    while true {
      if let tape = attempt?.tape {
        if tried.insert(Shrinker.hash(tape)).inserted {
          candidate = Choices(tape: Tape(tape))
          return
        }
        attempt?.observe(isAccepted: false)
        continue
      }
      attempt = nil
      if let move = round.next(best) {
        attempt = Attempt(move, best)
      } else if isImproved {
        isImproved = false
        redraws = 0
        round = Round()
      } else {
        candidate = redrawn()
        return
      }
    }
  }

  private mutating func redrawn() -> Choices? {
    guard redraws < Shrinker.redrawsMax, best.count <= Shrinker.redrawnCountMax, !best.isEmpty
    else { return nil }
    let kept = best.prefix(redraws % best.count).map(\.value)
    redraws += 1
    return Choices(
      tape: Tape(kept), seed: SplitMix64.seed(ofCase: redraws, in: Shrinker.hash(kept)))
  }

  /// FNV-1a over the numbers.
  private static func hash(_ tape: [UInt64]) -> UInt64 {
    tape.reduce(0xcbf2_9ce4_8422_2325) { hash, number in
      (0 as UInt64..<8).reduce(hash) { hash, byte in
        (hash ^ number >> (byte * 8) & 0xff) &* 0x100_0000_01b3
      }
    }
  }

  private func isSimpler(_ taken: [Choices.Choice]) -> Bool {
    guard taken.count == best.count else { return taken.count < best.count }
    for (left, right) in zip(taken, best) where left.value != right.value {
      return left.value < right.value
    }
    return false
  }
}
