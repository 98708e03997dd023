package import EventStorage

/// The idempotency keys of the appends that begin before an offset, gathered from their records as they are read in order.
///
/// An append that begins before the offset may end behind it: then reading goes on to its end, since only whole appends count.
package struct KeyRange: Sendable {
  private let end: Offset
  private var folder = AppendFolder()
  package private(set) var keys: [(key: String, place: Appended)] = []

  package init(until end: Offset) { self.end = end }

  /// Takes the next record.
  /// - Returns: false when nothing behind it is needed.
  package mutating func take(_ header: AppendHeader?, at offset: Offset) -> Bool {
    if offset >= end, folder.isBetweenAppends { return false }
    if let whole = folder.take(header, at: offset), let key = whole.idempotencyKey,
      whole.place.first < end
    {
      keys.append((key, whole.place))
    }
    return offset.rawValue + 1 < end.rawValue || !folder.isBetweenAppends
  }
}
