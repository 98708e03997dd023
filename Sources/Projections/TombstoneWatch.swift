public import EventStorage

/// Whether compaction has overtaken a fold that reads: then it keeps what a tombstone deleted that it never saw (law 7).
///
///     read so far              horizon
///     ──────────▶ position        │
///     a=1 ……………………… ✗ (a deleted) │ …………
///                     gone, and a=1 with it: but the fold holds a=1
///
/// Ask it after every read, with the bounds looked at after that read: a tombstone that is there then was there to be read.
public struct TombstoneWatch: Hashable, Sendable {
  /// What becomes of the fold.
  public enum Verdict: Sendable {
    /// It has missed nothing.
    case goOn
    /// It may have missed a deletion: only a fold from the log's start is right.
    case beginAnew
  }

  /// What was deleted before this was so before the fold began: it has never held it, or has let go of it.
  private let horizon: Offset
  /// A run of compaction that was under way when the fold began goes on beside it.
  private let cleanings: Int

  /// For a fold that is right within these bounds: it has read nothing, or all before a position that `mayResume`.
  ///
  /// - Parameter bounds: looked at before the fold's first read.
  public init(since bounds: LogBounds) {
    horizon = bounds.tombstoneHorizon
    cleanings = bounds.cleanings
  }

  /// Whether a state that reflects a position can be read on from there.
  public static func mayResume(at position: Offset, within bounds: LogBounds) -> Bool {
    position >= bounds.tombstoneHorizon
  }

  /// - Parameters:
  ///   - from: where the read began.
  ///   - bounds: looked at after it.
  public func verdict(afterReadingFrom from: Offset, _ bounds: LogBounds) -> Verdict {
    guard bounds.tombstoneHorizon > from else { return .goOn }
    return bounds.tombstoneHorizon > horizon || bounds.cleanings != cleanings ? .beginAnew : .goOn
  }
}
