internal import EventStorage

/// A closed segment: never written again, only replaced by its compacted self. Whoever reads it holds its file open.
final class Segment: Sendable {
  let base: Offset
  /// The position behind its last batch, and the base of the next segment.
  let end: Offset
  let bytes: Int
  /// The time of its newest record.
  let newest: Int64
  let index: SparseIndex
  let file: any DiskFile

  init(_ content: IndexFile, file: any DiskFile) {
    base = Offset(content.base)
    end = Offset(content.end)
    bytes = content.bytes
    newest = content.newest
    index = content.index
    self.file = file
  }
}

/// The segment that is appended to. Behind `bytes` there are zeros, or nothing.
struct ActiveSegment: Sendable {
  var base: Offset
  var bytes: Int
  var newest: Int64
  var index = SparseIndex()
  var file: any DiskFile
}

/// The files of a partition.
enum SegmentName {
  static let appendState = "appends.state"
  static let compactionState = "compaction.state"

  static func log(_ base: Offset) -> String { digits(base) + ".log" }
  static func index(_ base: Offset) -> String { digits(base) + ".index" }

  /// The base offset in the name of a segment with this extension.
  static func base(of name: String, extension suffix: String) -> Offset? {
    guard name.hasSuffix(suffix) else { return nil }
    let digits = name.dropLast(suffix.count)
    guard digits.utf8.count == 20, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let value = Int64(digits)
    else { return nil }
    return Offset(value)
  }

  private static func digits(_ base: Offset) -> String {
    let text = String(base.rawValue)
    return String(repeating: "0", count: 20 - text.utf8.count) + text
  }
}
