internal import CLZ4

/// How a log stores its batches.
package enum Compression: Hashable, Sendable {
  case none
  /// An LZ4 frame. Higher accelerations (1 to 65,537) compress less, in less time.
  case lz4(acceleration: Int)

  /// The code in a batch's attributes.
  var code: Int16 {
    switch self {
    case .none: 0
    case .lz4: 3
    }
  }
}

/// Appends `records` as one LZ4 frame to `store`. False, and nothing appended, when it does not shrink.
func deflate(_ records: RawSpan, acceleration: Int, onto store: inout ByteStore) -> Bool {
  var preferences = LZ4F_preferences_t()
  preferences.frameInfo.contentSize = UInt64(records.byteCount)
  preferences.frameInfo.blockMode = LZ4F_blockIndependent
  preferences.frameInfo.blockSizeID =
    switch records.byteCount {
    case ...(64 << 10): LZ4F_max64KB
    case ...(256 << 10): LZ4F_max256KB
    case ...(1 << 20): LZ4F_max1MB
    default: LZ4F_max4MB
    }
  // Below zero the library reads the level as an acceleration.
  preferences.compressionLevel = 1 - Int32(clamping: acceleration)
  let bound = unsafe LZ4F_compressFrameBound(records.byteCount, &preferences)
  var isSmaller = false
  unsafe store.appendInPlace(bound) { target in
    let size = unsafe records.withUnsafeBytes { source in
      unsafe LZ4F_compressFrame(
        target.baseAddress, target.count, source.baseAddress, source.count, &preferences)
    }
    isSmaller = LZ4F_isError(size) == 0 && size < records.byteCount
    return isSmaller ? size : 0
  }
  return isSmaller
}
