internal import EventStorage

/// Puts appends together again from their records, as they are read.
///
/// The records of one append lie one behind another, but those of another client may lie between them when the append is larger
/// than a request to the broker.
struct AppendFolder: Sendable {
  /// An append that has been read whole.
  struct Whole: Equatable, Sendable {
    var id: AppendHeader.ID
    var place: Appended
    var idempotencyKey: String?
  }

  /// How far behind its place the last record of an append is still looked for. Compaction may have taken it.
  static let strayOffsetsMax = Int64(LogLimits.batchRecordsMax)

  private struct Begun {
    var first: Offset
    var idempotencyKey: String?
    /// Nothing of it comes at or after this offset.
    var limit: Int64
  }

  private var begun: [AppendHeader.ID: Begun] = [:]

  /// False while an append has been read in part.
  var isBetweenAppends: Bool { begun.isEmpty }

  /// Whether more of an append is awaited to which this record belongs.
  func awaits(_ header: AppendHeader?) -> Bool { header.map { begun[$0.id] != nil } ?? false }

  /// Takes the next record; returns its append when this was the last of it.
  mutating func take(_ header: AppendHeader?, at offset: Offset) -> Whole? {
    if !begun.isEmpty { begun = begun.filter { $0.value.limit > offset.rawValue } }
    guard let header else { return nil }
    let before = begun[header.id]
    let first = before?.first ?? offset
    let key = before?.idempotencyKey ?? header.idempotencyKey
    guard header.following == 0 else {
      begun[header.id] = Begun(
        first: first, idempotencyKey: key,
        limit: offset.rawValue + Int64(header.following) + AppendFolder.strayOffsetsMax)
      return nil
    }
    begun[header.id] = nil
    // As a position this is behind the record that was read, whatever comes there.
    let end = Offset(offset.rawValue + 1)
    return Whole(
      id: header.id, place: Appended(first: first, end: end), idempotencyKey: key)
  }

  /// At the committed end nothing is in part: what is still missing was compacted away.
  mutating func reachEnd() { begun = [:] }
}
