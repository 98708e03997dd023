/// Memory that is written front to back and used again. Room is asked for once per record, not per byte.
@safe struct ByteStore: ~Copyable {
  private var start: UnsafeMutableRawPointer
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 4096) {
    self.capacity = max(capacity, 64)
    unsafe start = .allocate(byteCount: self.capacity, alignment: 16)
  }

  deinit { unsafe start.deallocate() }

  mutating func removeAll() { count = 0 }

  /// Makes room for `more` bytes behind the ones there are.
  mutating func reserve(_ more: Int) {
    guard count + more > capacity else { return }
    let larger = max(count + more, capacity * 2)
    let moved = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
    unsafe moved.copyMemory(from: start, byteCount: count)
    unsafe start.deallocate()
    unsafe start = moved
    capacity = larger
  }

  @inline(__always)
  mutating func append(byte: UInt8) {
    precondition(count < capacity, "byte \(count) of \(capacity) reserved")
    unsafe start.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
    count += 1
  }

  @inline(__always)
  mutating func append(zigzag value: Int64) {
    precondition(count + 10 <= capacity, "a varint at \(count) of \(capacity) reserved")
    var rest = UInt64(bitPattern: (value << 1) ^ (value >> 63))
    while rest >= 0x80 {
      unsafe start.storeBytes(
        of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: count, as: UInt8.self)
      count += 1
      rest >>= 7
    }
    unsafe start.storeBytes(
      of: UInt8(truncatingIfNeeded: rest), toByteOffset: count, as: UInt8.self)
    count += 1
  }

  @inline(__always)
  mutating func append(_ bytes: [UInt8]) {
    precondition(count + bytes.count <= capacity, "\(bytes.count) at \(count) of \(capacity)")
    unsafe bytes.withUnsafeBytes { source in
      guard let from = source.baseAddress else { return }
      unsafe start.advanced(by: count).copyMemory(from: from, byteCount: source.count)
    }
    count += bytes.count
  }

  mutating func append(_ bytes: RawSpan) {
    reserve(bytes.byteCount)
    unsafe bytes.withUnsafeBytes { source in
      guard let from = source.baseAddress else { return }
      unsafe start.advanced(by: count).copyMemory(from: from, byteCount: source.count)
    }
    count += bytes.byteCount
  }

  mutating func append<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T) {
    reserve(MemoryLayout<T>.size)
    unsafe start.storeBytes(of: value.bigEndian, toByteOffset: count, as: T.self)
    count += MemoryLayout<T>.size
  }

  mutating func append<T: FixedWidthInteger & BitwiseCopyable>(littleEndian value: T) {
    append(bigEndian: value.byteSwapped)
  }

  mutating func appendZeros(_ more: Int) {
    reserve(more)
    unsafe start.advanced(by: count).initializeMemory(as: UInt8.self, repeating: 0, count: more)
    count += more
  }

  mutating func put<T: FixedWidthInteger & BitwiseCopyable>(bigEndian value: T, at index: Int) {
    precondition(index >= 0 && index + MemoryLayout<T>.size <= count, "byte \(index) of \(count)")
    unsafe start.storeBytes(of: value.bigEndian, toByteOffset: index, as: T.self)
  }

  /// Lends the bytes written so far.
  func withBytes<R, Failure: Error>(
    _ body: (RawSpan) throws(Failure) -> R
  ) throws(Failure) -> R {
    try unsafe body(UnsafeRawBufferPointer(start: start, count: count).bytes)
  }

  /// Lends `more` unwritten bytes behind the ones there are; `body` says how many it wrote.
  mutating func appendInPlace(_ more: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) {
    reserve(more)
    let written = unsafe body(
      UnsafeMutableRawBufferPointer(start: start.advanced(by: count), count: more))
    precondition((0...more).contains(written), "\(written) bytes written of \(more)")
    count += written
  }
}
