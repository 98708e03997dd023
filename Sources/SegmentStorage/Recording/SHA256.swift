/// SHA-256 (FIPS 180-4). Here so that the storage needs no package; recordings are all it is used for.
struct SHA256 {
  private static let constants: [UInt32] = firstPrimes(64).map { fraction(ofCubeRootOf: $0) }

  private var state: [UInt32] = firstPrimes(8).map { fraction(ofSquareRootOf: $0) }
  private var block: [UInt8] = []
  private var length: UInt64 = 0

  init() { block.reserveCapacity(64) }

  mutating func add(_ bytes: RawSpan) {
    length += UInt64(bytes.byteCount)
    for index in 0..<bytes.byteCount {
      block.append(bytes.byte(at: index))
      if block.count == 64 { compress() }
    }
  }

  /// In hexadecimal.
  consuming func finish() -> String {
    let bits = length * 8
    block.append(0x80)
    while block.count != 56 {
      if block.count == 64 { compress() } else { block.append(0) }
    }
    for shift in stride(from: 56, through: 0, by: -8) {
      block.append(UInt8(truncatingIfNeeded: bits >> UInt64(shift)))
    }
    compress()
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private mutating func compress() {
    var words = [UInt32](repeating: 0, count: 64)
    for index in 0..<16 {
      for byte in block[index * 4..<index * 4 + 4] {
        words[index] = words[index] << 8 | UInt32(byte)
      }
    }
    block.removeAll(keepingCapacity: true)
    for index in 16..<64 {
      let early = words[index - 15]
      let late = words[index - 2]
      let first = rotate(early, 7) ^ rotate(early, 18) ^ early >> 3
      let second = rotate(late, 17) ^ rotate(late, 19) ^ late >> 10
      words[index] = words[index - 16] &+ first &+ words[index - 7] &+ second
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for index in 0..<64 {
      let sum = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
      let choice = (e & f) ^ (~e & g)
      let first = h &+ sum &+ choice &+ SHA256.constants[index] &+ words[index]
      let majority = (a & b) ^ (a & c) ^ (b & c)
      let second = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) &+ majority
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
    }
    for (index, word) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= word }
  }
}

private func rotate(_ word: UInt32, _ count: UInt32) -> UInt32 {
  word >> count | word << (32 - count)
}

private func firstPrimes(_ count: Int) -> [UInt64] {
  var primes: [UInt64] = []
  var candidate: UInt64 = 2
  while primes.count < count {
    if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
    candidate += 1
  }
  return primes
}

/// The first 32 bits behind the point of a root, by searching for the root times 2^32.
private func fraction(ofSquareRootOf prime: UInt64) -> UInt32 {
  UInt32(truncatingIfNeeded: largest { $0 * $0 <= UInt128(prime) << 64 })
}

private func fraction(ofCubeRootOf prime: UInt64) -> UInt32 {
  UInt32(truncatingIfNeeded: largest { $0 * $0 * $0 <= UInt128(prime) << 96 })
}

/// The largest number below 2^37 that fits; 19 and 7 are the largest roots asked for.
private func largest(_ fits: (UInt128) -> Bool) -> UInt128 {
  var root: UInt128 = 0
  for bit in stride(from: UInt128(36), through: 0, by: -1) where fits(root | 1 << bit) {
    root |= 1 << bit
  }
  return root
}
