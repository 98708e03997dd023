public import EventStorage
import Events

/// A record that could not be used, so that somebody can look at it and write it anew (law 10).
public struct PoisonRecord: Equatable, Sendable {
  /// The most bytes of a key that are kept: those of the longest message key.
  public static let keyBytesMax = ChannelName.bytesMax + 1 + MessageKey.bytesMax

  /// Where it lies in its partition. The log keeps its value.
  public var offset: Offset
  /// Its key bytes, or the first `keyBytesMax` of them.
  public var key: [UInt8]

  /// A record that could not be used.
  public init(offset: Offset, key: [UInt8]) {
    self.offset = offset
    self.key = key
  }
}

/// The last records that a fold could not use, and no more: poison must not become a leak.
public struct RecentPoison: Sendable {
  /// How many are kept.
  public static let recordsMax = 100

  private var ring: [PoisonRecord] = []
  private var oldest = 0

  init() {}

  /// The oldest first.
  public var records: [PoisonRecord] { Array(ring[oldest...] + ring[..<oldest]) }

  mutating func add(_ row: RecordRow, in bytes: RawSpan) {
    bytes.withUnsafeBytes {
      add(row.offset, key: UnsafeRawBufferPointer(rebasing: $0[row.key]))
    }
  }

  mutating func add(_ offset: Offset, key: UnsafeRawBufferPointer) {
    let record = PoisonRecord(offset: offset, key: Array(key.prefix(PoisonRecord.keyBytesMax)))
    if ring.count < RecentPoison.recordsMax {
      ring.append(record)
    } else {
      ring[oldest] = record
      oldest = (oldest + 1) % ring.count
    }
  }
}
