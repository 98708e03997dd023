/// All moves on a tape, once: those that shorten it first, as what is gone need not be made simpler.
struct Round: Sendable {
  private enum Pass: Int, Sendable {
    case blocks, units, zeros, numbers, counts, together, carries, borrows, swaps, steps, references
  }

  /// Shorter blocks than this are left to units, which begin at every number.
  private static let blockMin = 16
  /// The most numbers that one element of a list is thought to take.
  private static let unitMax = 8
  /// How many numbers are made zero together. One alone is lowered.
  private static let zeroSizes = [64, 32, 16, 8, 7, 6, 5, 4, 3, 2]
  /// How far apart two numbers may be that are changed together.
  private static let distanceMax = 8
  /// What numbers are multiples of, where only multiples fail.
  private static let steps: [UInt64] = [3, 4, 5, 6, 7, 8, 9, 10, 16, 64, 100, 256, 1_000, 4_096]
  /// In a longer tape, multiples and references would take too many replays.
  private static let slowCountMax = 64

  private var pass = Pass.blocks
  private var place = 0
  private var blockSize: Int?
  private var moves: [Move] = []

  /// The next move that can change this tape; nil at the end of the round.
  mutating func next(_ tape: [Choices.Choice]) -> Move? {
    while true {
      while let move = moves.popLast() {
        if move.limit(in: tape) > 0 { return move }
      }
      if pass == .blocks {
        let size = (blockSize ?? tape.count) / 2
        blockSize = size
        if size >= Round.blockMin {
          moves = stride(from: 0, through: tape.count - size, by: size).map {
            .cut(at: $0, size: size)
          }
          continue
        }
      } else if place < tape.count {
        moves = moves(at: place, tape).reversed()
        place += 1
        continue
      }
      guard let following = Pass(rawValue: pass.rawValue + 1) else { return nil }
      pass = following
      place = 0
    }
  }

  private func moves(at place: Int, _ tape: [Choices.Choice]) -> [Move] {
    let nearby = place + 1..<max(place + 1, min(tape.count, place + 1 + Round.distanceMax))
    switch pass {
    case .blocks: return []
    case .units: return (1...Round.unitMax).reversed().map { .cutUnits(at: place, unit: $0) }
    case .swaps: return (1...Round.unitMax / 2).map { .swap(at: place, size: $0) }
    case .references:
      guard tape.count <= Round.slowCountMax else { return [] }
      let bounds = Set(tape[place...].map(\.bound)).sorted()
      return (1...Round.unitMax).flatMap { unit in
        bounds.map { .cutAndLower(at: place, unit: unit, bound: $0) }
      }
    case _ where tape[place].value == 0: return []
    case .zeros: return Round.zeroSizes.map { .zero(at: place, size: $0) }
    // Two at a time keeps the sign of a number on both sides of zero.
    case .numbers: return [.lower(at: place, step: 1), .lower(at: place, step: 2)]
    case .steps:
      guard tape.count <= Round.slowCountMax else { return [] }
      return Round.steps.map { .lower(at: place, step: $0) }
    case .counts: return (1...Round.unitMax).map { .lowerAndCut(at: place, unit: $0) }
    case .together:
      let equals = tape.indices[place...].filter { tape[$0].value == tape[place].value }
      var groups = nearby.map { [place, $0] }
      if equals.count > 1 { groups.append(Array(equals.prefix(2))) }
      if equals.count > 2 { groups.append(equals) }
      return groups.map { .lowerTogether($0) }
    case .borrows: return [.borrow(at: place, short: 0), .borrow(at: place, short: 1)]
    case .carries: return nearby.map { .carry(from: place, to: $0) }
    }
  }
}
