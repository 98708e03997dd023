internal import EventStorage

/// What a batch on disk may measure. Follows from `LogLimits`: no batch the log takes is over these.
package enum BatchLimits {
  /// What the layout adds to a record at most: six varints, an attribute byte.
  static let recordOverheadMax = 40
  /// Records of a batch once inflated; a frame that inflates to more is damage or an attack.
  package static let inflatedBytesMax =
    LogLimits.batchBytesMax + LogLimits.batchRecordsMax * recordOverheadMax
    + LogLimits.batchRecordsMax * 64
  /// A whole batch as stored, with its header. Compression is left out where it does not shrink.
  package static let storedBytesMax = BatchHeader.byteCount + inflatedBytesMax
  /// Appends are written together as one batch up to this many records …
  static let groupRecordsMax = LogLimits.batchRecordsMax
  /// … and bytes of keys and values. A larger append is a batch of its own.
  static let groupBytesMax = 1 << 20
  /// Smaller batches are stored as they are: a frame would cost more than it saves.
  static let compressedBytesMin = 512
}
