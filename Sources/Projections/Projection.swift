public import EventStorage

/// What records mean: a deterministic fold. Knows no clock, no randomness, no I/O; refuses no record.
///
/// State is `inout` and value-like. A projection is fed whole batches of one partition, in order, through `RecordSink`.
public protocol Projection: RecordSink, Sendable {
  /// Its name in snapshots and on the command line.
  static var name: String { get }
  /// Counts the meanings of this fold: a snapshot of another version is refused.
  static var foldVersion: UInt32 { get }

  /// The state before the first record.
  init()

  /// How many records it read, and how many of them it could not use.
  var counts: FoldCounts { get }

  /// The canonical encoding of its state: equal states give equal bytes, on any machine (law 1).
  ///
  /// Counters and whatever depends on how records arrived are not part of it.
  func encode(into bytes: inout [UInt8])

  /// The state that `encode` wrote. Throws when the bytes are not such an encoding.
  init(decoding bytes: RawSpan) throws(SnapshotFailure)
}

/// Counts of what a fold met. Laws 10 and 11: what it cannot use is counted, never fatal.
public struct FoldCounts: Equatable, Sendable {
  /// Records read.
  public var records: UInt64 = 0
  /// Records whose bytes could not be decoded.
  public var poison: UInt64 = 0
  /// Records of a type this version does not know.
  public var unknown: UInt64 = 0

  /// Nothing read yet.
  public init() {}
}

/// Why a snapshot was refused. Nothing is lost: the log is folded from its start instead.
public enum SnapshotFailure: Error, Equatable, Sendable {
  /// Not a snapshot, cut short, or with a digest that does not match its bytes.
  case damaged(String)
  /// A snapshot of another log.
  case otherLog(LogIdentity)
  /// A snapshot of another projection or fold version.
  case otherFold(name: String, version: UInt32)
  /// A snapshot from before the tombstone horizon: deletions may be missing (law 7).
  case beforeHorizon(Offset)
  /// A snapshot from behind the log's end: the log has lost its tail.
  case beyondEnd(Offset)
}
