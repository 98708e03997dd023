internal import EventStorage

/// Compaction and retention, as a broker does them: in closed segments, behind nothing that is open, and not too early.
extension ClusterPartition {
  struct Cleaned {
    /// Records that nobody reads any more.
    var gone: [Offset] = []
    /// Behind everything that was looked at.
    var end = Offset.zero
  }

  /// - Parameter isHasty: canary: as far as there are records, open transactions or not.
  mutating func clean(
    at now: Int64, lag: Int64, tombstones: Int64, isHasty: Bool
  ) -> Cleaned {
    let limit = isHasty ? entries.count : cleanable(at: now, lag)
    var newest: [[UInt8]: Offset] = [:]
    for entry in entries[..<limit]
    where isHasty ? entry.state != .marker : entry.state == .committed {
      newest[entry.record.key] = entry.offset
    }
    var cleaned = Cleaned()
    var kept: [Entry] = []
    for var entry in entries[..<limit] {
      if stays(&entry, newest[entry.record.key], at: now, tombstones) {
        kept.append(entry)
      } else if entry.state == .committed {
        cleaned.gone.append(entry.offset)
      }
      cleaned.end = Offset(entry.offset.rawValue + 1)
    }
    entries.replaceSubrange(..<limit, with: kept)
    return cleaned
  }

  /// How many entries may be looked at.
  private func cleanable(at now: Int64, _ lag: Int64) -> Int {
    let stable = stableEnd
    return entries.firstIndex {
      $0.segment >= openSegment || $0.offset >= stable
        || ($0.state != .marker && $0.record.timestamp > now - lag)
    } ?? entries.count
  }

  private func stays(
    _ entry: inout Entry, _ newest: Offset?, at now: Int64, _ tombstones: Int64
  ) -> Bool {
    switch entry.state {
    case .open: return true
    case .aborted: return false
    case .committed:
      if let newest, newest > entry.offset { return false }
      guard entry.record.value == nil else { return true }
    case .marker: break
    }
    guard let goesAt = entry.goesAt else {
      entry.goesAt = now + tombstones
      return true
    }
    return now <= goesAt
  }

  /// Takes what is too old from the front.
  mutating func retain(notBefore time: Int64) {
    let stable = stableEnd
    let kept = entries.firstIndex {
      $0.offset >= stable || ($0.state != .marker && $0.record.timestamp >= time)
    }
    let count = kept ?? entries.count
    guard count > 0 else { return }
    start = kept.map { entries[$0].offset } ?? stable
    entries.removeFirst(count)
  }
}
