/// A moment of the simulated world, or a length of its time, in microseconds. No clock ever touches it.
package struct VirtualTime: Hashable, Comparable, Sendable {
  package var microseconds: Int64

  package static let zero = VirtualTime(microseconds: 0)
  package static func milliseconds(_ count: Int64) -> VirtualTime {
    VirtualTime(microseconds: count * 1000)
  }
  package static func seconds(_ count: Int64) -> VirtualTime {
    VirtualTime(microseconds: count * 1_000_000)
  }

  /// What a clock without error shows: milliseconds since 1970. The world begins on a round day.
  var wallMilliseconds: Int64 { 1_700_000_000_000 + microseconds / 1000 }

  /// In seconds, to the microsecond.
  package var seconds: String {
    "\(microseconds / 1_000_000).\(String(1_000_000 + microseconds % 1_000_000).dropFirst())"
  }

  package static func < (left: VirtualTime, right: VirtualTime) -> Bool {
    left.microseconds < right.microseconds
  }
  static func + (left: VirtualTime, right: VirtualTime) -> VirtualTime {
    VirtualTime(microseconds: left.microseconds + right.microseconds)
  }
  static func += (left: inout VirtualTime, right: VirtualTime) {
    left.microseconds += right.microseconds
  }
}
