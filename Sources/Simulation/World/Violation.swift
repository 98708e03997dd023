/// A law that did not hold, where and how.
package struct Violation: Error, Equatable, Sendable, CustomStringConvertible {
  /// Its number in the laws.
  package var law: Int
  package var detail: String
  package var step: Int
  package var time: VirtualTime

  package var description: String {
    "law \(law) does not hold at step \(step) (\(time.seconds) s): \(detail)"
  }
}
