/// One way to make a tape simpler, by some amount.
enum Move: Sendable, Equatable {
  /// Cuts out `size` numbers. The amount is 1.
  case cut(at: Int, size: Int)
  /// Cuts out so many units of `unit` numbers.
  case cutUnits(at: Int, unit: Int)
  /// Makes `size` numbers zero. The amount is 1.
  case zero(at: Int, size: Int)
  /// Takes so many steps off a number.
  case lower(at: Int, step: UInt64)
  /// Takes so much off a number, and cuts out as many units behind it: a count and what it counts.
  case lowerAndCut(at: Int, unit: Int)
  /// Cuts out `unit` numbers, and takes 1 off every later number below `bound` that is not zero: what points at what stood behind
  /// them. The amount is 1.
  case cutAndLower(at: Int, unit: Int, bound: UInt64)
  /// Takes so much off all of these numbers.
  case lowerTogether([Int])
  /// Takes so much off a number and adds it to a later one.
  case carry(from: Int, to: Int)
  /// Takes so much off a number and makes the next one its largest but `short`: as 20 becomes 19 in two digits.
  case borrow(at: Int, short: UInt64)
  /// Exchanges `size` numbers with the `size` numbers behind them. The amount is 1.
  case swap(at: Int, size: Int)

  /// Whether amounts are tried from small to large, because each is as likely to do as the one before, or the largest first.
  var isGalloping: Bool {
    switch self {
    case .cut, .cutUnits, .zero, .lowerAndCut, .cutAndLower, .swap: true
    case .lower, .lowerTogether, .carry, .borrow: false
    }
  }

  /// The largest amount there is; 0 when the move makes nothing simpler.
  func limit(in tape: [Choices.Choice]) -> UInt64 {
    switch self {
    case .cut(let at, let size): return at + size <= tape.count ? 1 : 0
    case .cutUnits(let at, let unit): return UInt64(max(0, tape.count - at) / unit)
    case .zero(let at, let size):
      return at + size <= tape.count && tape[at].value != 0 ? 1 : 0
    case .lower(let at, let step): return at < tape.count ? tape[at].value / step : 0
    case .lowerAndCut(let at, let unit):
      guard at < tape.count else { return 0 }
      return min(tape[at].value, UInt64((tape.count - at - 1) / unit))
    case .cutAndLower(let at, let unit, _): return at + unit <= tape.count ? 1 : 0
    case .lowerTogether(let places):
      return places.map { $0 < tape.count ? tape[$0].value : 0 }.min() ?? 0
    case .carry(let from, let to):
      guard to < tape.count else { return 0 }
      return min(tape[from].value, tape[to].bound - 1 - tape[to].value)
    case .borrow(let at, let short):
      guard at + 1 < tape.count, tape[at + 1].bound > short + 1 else { return 0 }
      return tape[at].value
    case .swap(let at, let size):
      guard at + 2 * size <= tape.count else { return 0 }
      let (left, right) = (tape[at..<at + size], tape[at + size..<at + 2 * size])
      return right.lexicographicallyPrecedes(left) { $0.value < $1.value } ? 1 : 0
    }
  }

  /// The tape after the move.
  ///
  /// - Precondition: the amount is 1 or more and at most `limit`.
  func applied(_ amount: UInt64, to choices: [Choices.Choice]) -> [UInt64] {
    var tape = choices.map(\.value)
    switch self {
    case .cut(let at, let size): tape.removeSubrange(at..<at + size)
    case .cutUnits(let at, let unit): tape.removeSubrange(at..<at + unit * Int(amount))
    case .zero(let at, let size):
      for place in at..<at + size { tape[place] = 0 }
    case .lower(let at, let step): tape[at] -= amount * step
    case .lowerAndCut(let at, let unit):
      tape[at] -= amount
      tape.removeSubrange(at + 1..<at + 1 + unit * Int(amount))
    case .cutAndLower(let at, let unit, let bound):
      for place in choices.indices[(at + unit)...] where choices[place].bound == bound {
        tape[place] -= min(1, tape[place])
      }
      tape.removeSubrange(at..<at + unit)
    case .lowerTogether(let places):
      for place in places { tape[place] -= amount }
    case .carry(let from, let to):
      tape[from] -= amount
      tape[to] += amount
    case .borrow(let at, let short):
      tape[at] -= amount
      tape[at + 1] = choices[at + 1].bound - 1 - short
    case .swap(let at, let size):
      for place in at..<at + size { tape.swapAt(place, place + size) }
    }
    return tape
  }
}
