package import EventStorage

/// Puts appends together again from their records, as they are read.
///
/// The records of one append lie one behind another, but those of another client may lie between them when the append is larger
/// than a request to the broker.
package struct AppendFolder: Sendable {
  /// An append that has been read whole.
  package struct Whole: Equatable, Sendable {
    package var id: AppendHeader.ID
    package var place: Appended
    package var idempotencyKey: String?
  }

  /// How far behind its place the last record of an append is still looked for. Compaction may have taken it.
  static let strayOffsetsMax = Int64(LogLimits.batchRecordsMax)

  private struct Begun {
    var first: Offset
    var idempotencyKey: String?
    /// Nothing of it comes at or after this offset.
    var limit: Int64
    /// Its last record that was read, and how many of it are still to come.
    var seen: Int64
    var following: Int
    /// Records that were read behind that one.
    var others: Int64 = 0

    /// Whether the offsets before `end` at which nothing was read can hold what is to come and the marker behind it.
    func mayBeCompacted(before end: Offset) -> Bool {
      end.rawValue - 1 - seen - others > Int64(following)
    }
  }

  private var begun: [AppendHeader.ID: Begun] = [:]

  /// A reader that has read nothing.
  package init() {}

  /// False while an append has been read in part.
  package var isBetweenAppends: Bool { begun.isEmpty }

  /// Takes the next record; returns its append when this was the last of it.
  package mutating func take(_ header: AppendHeader?, at offset: Offset) -> Whole? {
    if !begun.isEmpty {
      begun = begun.filter { $0.value.limit > offset.rawValue }
      for id in begun.keys where id != header?.id { begun[id]?.others += 1 }
    }
    guard let header else { return nil }
    let before = begun[header.id]
    let first = before?.first ?? offset
    let key = before?.idempotencyKey ?? header.idempotencyKey
    guard header.following == 0 else {
      begun[header.id] = Begun(
        first: first, idempotencyKey: key,
        limit: offset.rawValue + Int64(header.following) + AppendFolder.strayOffsetsMax,
        seen: offset.rawValue, following: header.following)
      return nil
    }
    begun[header.id] = nil
    // As a position this is behind the record that was read, whatever comes there.
    let end = Offset(offset.rawValue + 1)
    return Whole(
      id: header.id, place: Appended(first: first, end: end), idempotencyKey: key)
  }

  /// At the committed end what is still missing of an append was compacted away, when there is room for it; otherwise it lies behind
  /// the end, which an open transaction of another client holds back.
  package mutating func reachEnd(at end: Offset) {
    begun = begun.filter { !$0.value.mayBeCompacted(before: end) }
  }
}
