/// A law that did not hold, where and how.
package struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
  /// Its number in the laws.
  package var law: Int
  package var detail: String
  package var step: Int
  package var time: VirtualTime

  package var description: String {
    let seconds =
      "\(time.microseconds / 1_000_000).\(String(1_000_000 + time.microseconds % 1_000_000).dropFirst())"
    return "law \(law) does not hold at step \(step) (\(seconds) s): \(detail)"
  }
}
