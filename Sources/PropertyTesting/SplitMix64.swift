/// Sebastiano Vigna's SplitMix64: written down here because the standard library's generators may change, and a seed is to give the
/// same cases for ever.
struct SplitMix64: Sendable {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  /// The seed of a case: the number that the generator of the property's seed gives in that place.
  static func seed(ofCase number: Int, in seed: UInt64) -> UInt64 {
    var random = SplitMix64(seed: seed &+ UInt64(number) &* 0x9e37_79b9_7f4a_7c15)
    return random.next()
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }

  /// A number below `bound`, each as likely as any other.
  mutating func next(below bound: UInt64) -> UInt64 {
    // Numbers of an incomplete last round would favour the small ones.
    let limit = UInt64.max - UInt64.max % bound
    while true {
      let value = next()
      if value < limit { return value % bound }
    }
  }

  /// A number below `bound`; half of the time one of the last two, or one that is small.
  mutating func edgy(below bound: UInt64) -> UInt64 {
    guard bound > 16 else { return next(below: bound) }
    switch next(below: 8) {
    case 0: return bound - 1 - next(below: 2)
    case 1...3:
      // As many bits as any other number of bits.
      let bits = next(below: UInt64(64 - (bound - 1).leadingZeroBitCount))
      return next(below: min(bound, 1 << bits))
    default: return next(below: bound)
    }
  }
}
