package import EventStorage

/// The idempotency keys of the newest appends of a partition, and where these lie (law 18).
///
/// A partition is followed from near its end on. Only when a key is asked for are those before read too, once: until then the keys
/// that come are kept in order.
package struct RecentKeys: Sendable {
  /// Keys of everything at or after this are here.
  package private(set) var from: Offset
  private var isWhole = false
  private var known: [String: Appended] = [:]
  private var order: [(key: String, place: Appended)] = []
  private var whole = IdempotencyKeys()

  package init(from: Offset = .zero) { self.from = from }

  /// Takes the next append; returns its answer: the place of the first append with its key.
  package mutating func take(_ key: String, _ place: Appended) -> Appended {
    if let answer = answer(to: key) { return answer }
    if isWhole {
      whole.remember(key, place)
    } else {
      known[key] = place
      order.append((key, place))
      if order.count > LogLimits.idempotencyKeysMax { completeWithout() }
    }
    return place
  }

  /// What the first append with this key was answered.
  package func answer(to key: String) -> Appended? {
    if isWhole { return whole.answer(to: key) }
    return known[key].map { Appended(first: $0.first, end: $0.end, isRepeat: true) }
  }

  /// True when a key that is not here was not used lately.
  package var isComplete: Bool { isWhole }

  /// Puts the keys of what lies before in front.
  package mutating func complete(with earlier: [(key: String, place: Appended)]) {
    guard !isWhole else { return }
    isWhole = true
    for (key, place) in earlier + order where whole.answer(to: key) == nil {
      whole.remember(key, place)
    }
    known = [:]
    order = []
  }

  /// So many came that those before no longer count.
  private mutating func completeWithout() { complete(with: []) }
}
