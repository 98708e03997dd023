import PropertyTesting

/// One change of an input, such as libFuzzer makes.
enum Mutation {
  static func apply(to bytes: inout [UInt8], other: [UInt8], _ choices: inout Choices) {
    let place = choices.int(in: 0...bytes.count)
    let end = choices.int(in: place...min(bytes.count, place + 40), edges: true)
    switch choices.int(in: 0...5) {
    case 0:
      guard place < bytes.count else { return }
      bytes[place] ^= 1 << UInt8(choices.int(in: 0...7))
    case 1:
      guard place < bytes.count else { return }
      bytes[place] = choices.element(of: [0, 1, 0x7f, 0x80, 0xff])
    case 2: bytes.removeSubrange(place..<end)
    case 3: bytes.insert(contentsOf: bytes[place..<end], at: place)
    case 4:
      // A length that lies, in four bytes of either order.
      let number = choices.number(in: UInt32.min...UInt32.max, edges: true)
      for shift in 0..<min(4, bytes.count - place) {
        bytes[place + shift] = UInt8(truncatingIfNeeded: number >> UInt32(8 * shift))
      }
    default:
      bytes.replaceSubrange(place..<end, with: other.prefix(choices.int(in: 0...other.count)))
    }
  }
}
