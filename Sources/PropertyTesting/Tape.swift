/// The numbers that a case was made of. Its text form repeats the case anywhere: `4.0.17`, a number written `n×k`, or
/// `nxk`, stands k times.
public struct Tape: Hashable, Sendable, LosslessStringConvertible {
  /// In the order in which they were chosen.
  public var numbers: [UInt64]

  /// A tape of these numbers.
  public init(_ numbers: [UInt64]) { self.numbers = numbers }

  /// Reads what `description` wrote; nil when this is something else.
  public init?(_ description: String) {
    numbers = []
    guard !description.isEmpty else { return }
    for part in description.split(separator: ".", omittingEmptySubsequences: false) {
      let pieces = part.split(omittingEmptySubsequences: false) { $0 == "×" || $0 == "x" }
      guard let number = pieces.first.flatMap({ UInt64($0) }) else { return nil }
      guard pieces.count > 1 else {
        numbers.append(number)
        continue
      }
      guard pieces.count == 2, let count = Int(pieces[1]),
        1...(Choices.choicesMax - numbers.count) ~= count
      else { return nil }
      numbers += repeatElement(number, count: count)
    }
    guard numbers.count <= Choices.choicesMax else { return nil }
  }

  /// Without the zeros at its end, which repeats the same case: what has ended goes on with zeros.
  public var withoutLastZeros: Tape {
    Tape(Array(numbers.prefix((numbers.lastIndex { $0 != 0 } ?? -1) + 1)))
  }

  /// The text that `init(_:)` reads.
  public var description: String {
    var parts: [String] = []
    var index = 0
    while index < numbers.count {
      let number = numbers[index]
      let run = numbers[index...].prefix { $0 == number }.count
      parts += run > 2 ? ["\(number)×\(run)"] : Array(repeating: "\(number)", count: run)
      index += run
    }
    return parts.joined(separator: ".")
  }
}
