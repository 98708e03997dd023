/// The search for the largest amount of one move that keeps the case failing.
struct Attempt: Sendable {
  private let move: Move
  private let base: [Choices.Choice]
  private let limit: UInt64
  private var accepted: UInt64 = 0
  private var rejected: UInt64?
  private var amount: UInt64?

  init(_ move: Move, _ base: [Choices.Choice]) {
    self.move = move
    self.base = base
    limit = move.limit(in: base)
    amount = limit == 0 ? nil : move.isGalloping ? 1 : limit
  }

  /// The tape to try next; nil when the largest amount is found.
  var tape: [UInt64]? { amount.map { move.applied($0, to: base) } }

  mutating func observe(isAccepted: Bool) {
    guard let tried = amount else { return }
    if isAccepted { accepted = tried } else { rejected = tried }
    if let rejected {
      // An amount may do although a smaller one did not.
      amount = rejected > accepted + 1 ? accepted + (rejected - accepted) / 2 : nil
    } else {
      amount = accepted == limit ? nil : accepted > limit / 2 ? limit : accepted * 2
    }
  }
}
