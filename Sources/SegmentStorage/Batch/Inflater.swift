internal import CLZ4

/// Inflates LZ4 frames, with one context that is used again.
@safe struct Inflater: ~Copyable {
  private let context: OpaquePointer

  init() throws(BatchDamage) {
    var created: OpaquePointer?
    let code = unsafe LZ4F_createDecompressionContext(&created, UInt32(LZ4F_VERSION))
    guard LZ4F_isError(code) == 0, let created = unsafe created else { throw .frame }
    unsafe context = created
  }

  deinit { unsafe _ = LZ4F_freeDecompressionContext(context) }

  /// Inflates one frame to the start of `buffer`, which grows as needed, up to the limit.
  /// - Returns: how many bytes there are.
  mutating func inflate(_ frame: RawSpan, into buffer: inout [UInt8]) throws(BatchDamage) -> Int {
    if buffer.isEmpty { buffer = [UInt8](repeating: 0, count: 256 << 10) }
    while true {
      if let size = try attempt(frame, into: &buffer) { return size }
      guard buffer.count < BatchLimits.inflatedBytesMax else { throw .inflatedTooLarge }
      let larger = min(buffer.count * 2, BatchLimits.inflatedBytesMax)
      buffer = []
      buffer = [UInt8](repeating: 0, count: larger)
    }
  }

  /// Nil when the buffer is too small.
  private mutating func attempt(
    _ frame: RawSpan, into buffer: inout [UInt8]
  ) throws(BatchDamage) -> Int? {
    unsafe LZ4F_resetDecompressionContext(context)
    // The whole frame lands in one buffer that stays put, so the library keeps no copy of its history.
    var options = LZ4F_decompressOptions_t()
    options.stableDst = 1
    var produced = 0
    var consumed = 0
    while true {
      var sourceSize = frame.byteCount - consumed
      var room = buffer.count - produced
      let hint = unsafe buffer.withUnsafeMutableBytes { target in
        unsafe frame.withUnsafeBytes { source in
          unsafe LZ4F_decompress(
            context, target.baseAddress?.advanced(by: produced), &room,
            source.baseAddress?.advanced(by: consumed), &sourceSize, &options)
        }
      }
      guard LZ4F_isError(hint) == 0 else { throw .frame }
      produced += room
      consumed += sourceSize
      if hint == 0 {
        guard consumed == frame.byteCount else { throw .frame }
        return produced
      }
      if produced == buffer.count { return nil }
      if consumed == frame.byteCount || (room == 0 && sourceSize == 0) { throw .frame }
    }
  }
}
