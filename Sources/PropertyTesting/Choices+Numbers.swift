extension Choices {
  /// A number of the range, each as likely as any other. The one nearest to zero is the simplest, and of two equally near the
  /// positive one.
  ///
  /// - Parameter edges: Whether the ends of the range and numbers near zero come more often than others: half of the time for a
  ///   range of more than 16 numbers. Bugs live there.
  public mutating func int(in range: ClosedRange<Int>, edges: Bool = false) -> Int {
    number(in: range, edges: edges)
  }

  /// A number of the range, of any type of integers of at most 64 bits. See `int(in:edges:)`.
  public mutating func number<Number: FixedWidthInteger>(
    in range: ClosedRange<Number>, edges: Bool = false
  ) -> Number {
    demand(
      Number.bitWidth <= 64, "\(Number.self) has \(Number.bitWidth) bits, not 64 or less")
    let (low, high) = (range.lowerBound, range.upperBound)
    let span = UInt64(truncatingIfNeeded: high) &- UInt64(truncatingIfNeeded: low)
    let distance = span == .max ? full(edges: edges) : next(below: span + 1, edges: edges)
    if low >= 0 { return low &+ Number(truncatingIfNeeded: distance) }
    if high <= 0 { return high &- Number(truncatingIfNeeded: distance) }
    return Number(
      truncatingIfNeeded: Choices.alternating(
        distance, below: UInt64(low.magnitude), above: UInt64(high)))
  }

  /// Any 64 bits; small numbers are simpler.
  public mutating func full() -> UInt64 { full(edges: false) }

  /// True or false; false is simpler.
  public mutating func bool() -> Bool { next(below: 2) == 1 }

  /// True once in `count` times; false is simpler, unless `count` is 1.
  ///
  /// - Precondition: `count` is 1 or more.
  public mutating func oneIn(_ count: UInt64) -> Bool { next(below: count) == count - 1 }

  private mutating func full(edges: Bool) -> UInt64 {
    let high = next(below: 1 << 32, edges: edges)
    return high << 32 | next(below: 1 << 32, edges: edges)
  }

  /// The number so far into 0, 1, -1, 2, -2, … which goes on with one sign where the other has ended.
  private static func alternating(_ place: UInt64, below: UInt64, above: UInt64) -> Int64 {
    let both = min(below, above)
    let isPositive = place > 2 * both ? above > below : place % 2 == 1
    let magnitude = place > 2 * both ? place - both : place / 2 + place % 2
    return Int64(bitPattern: isPositive ? magnitude : 0 &- magnitude)
  }
}
