/// The newest idempotency keys of a partition, and what their batches were answered (law 18).
///
/// Holds at most `limit` keys: the oldest makes room for the newest. Both in constant time.
package struct IdempotencyKeys: Sendable {
  private let limit: Int
  private var answers: [String: Appended] = [:]
  /// In the order of their arrival; once full, a ring whose oldest is at `oldest`.
  private var keys: [String] = []
  private var oldest = 0

  package init(limit: Int = LogLimits.idempotencyKeysMax) {
    precondition(limit > 0, "\(limit) idempotency keys; at least one is needed")
    self.limit = limit
  }

  /// What the first batch with this key was answered, marked as a repeat.
  package func answer(to key: String) -> Appended? {
    answers[key].map { Appended(first: $0.first, end: $0.end, isRepeat: true) }
  }

  /// Remembers the answer to a key that is not yet known.
  package mutating func remember(_ key: String, _ answer: Appended) {
    let known = answers.updateValue(answer, forKey: key)
    precondition(known == nil, "the idempotency key \(key) was answered twice")
    guard keys.count == limit else {
      keys.append(key)
      return
    }
    answers[keys[oldest]] = nil
    keys[oldest] = key
    oldest = (oldest + 1) % limit
  }
}
