/// Counts through every tape there is, as a mileage counter does: the last number that can still grow grows, and what stood behind it
/// is chosen anew.
struct Odometer: Sendable {
  private(set) var tape = Tape([])
  private(set) var isComplete = false
  private let limit: Int
  private var seen = 0

  init(limit: Int) { self.limit = limit }

  /// Goes on to the tape after the one that was read; false when there is none, or no more are allowed.
  mutating func advance(past choices: Choices) -> Bool {
    seen += 1
    let taken = choices.taken
    guard let last = taken.lastIndex(where: { $0.value < $0.bound - 1 }) else {
      isComplete = true
      return false
    }
    tape.numbers = taken[..<last].map(\.value) + [taken[last].value + 1]
    return seen < limit
  }
}
