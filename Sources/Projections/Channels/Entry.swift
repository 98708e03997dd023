import EventStorage

/// A message in an arena: 32 bytes of header, the key bytes of its record, and the body of its event.
///
///      0 offset      8    16 next in channel   4    24 key length   2
///      8 timestamp   8    20 previous          4    26 flags        2    28 body length   4
struct Entry {
  static let headerBytes = 32

  let pointer: UnsafeMutableRawPointer

  @inline(__always)
  init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }

  static func words(keyLength: Int, bodyLength: Int) -> Int {
    (headerBytes + keyLength + bodyLength + 7) / 8
  }

  var offset: Int64 {
    @inline(__always) get { pointer.load(as: Int64.self) }
    nonmutating set { pointer.storeBytes(of: newValue, as: Int64.self) }
  }
  var timestamp: Int64 {
    get { pointer.load(fromByteOffset: 8, as: Int64.self) }
    nonmutating set { pointer.storeBytes(of: newValue, toByteOffset: 8, as: Int64.self) }
  }
  var next: UInt32 {
    get { pointer.load(fromByteOffset: 16, as: UInt32.self) }
    nonmutating set { pointer.storeBytes(of: newValue, toByteOffset: 16, as: UInt32.self) }
  }
  var previous: UInt32 {
    get { pointer.load(fromByteOffset: 20, as: UInt32.self) }
    nonmutating set { pointer.storeBytes(of: newValue, toByteOffset: 20, as: UInt32.self) }
  }
  var keyLength: Int {
    @inline(__always) get { Int(pointer.load(fromByteOffset: 24, as: UInt16.self)) }
    nonmutating set {
      pointer.storeBytes(of: UInt16(newValue), toByteOffset: 24, as: UInt16.self)
    }
  }
  /// Words that the block has beyond what it needs.
  var spareWords: Int {
    get { Int(pointer.load(fromByteOffset: 26, as: UInt16.self)) }
    nonmutating set {
      pointer.storeBytes(of: UInt16(newValue), toByteOffset: 26, as: UInt16.self)
    }
  }
  var bodyLength: Int {
    get { Int(pointer.load(fromByteOffset: 28, as: UInt32.self)) }
    nonmutating set {
      pointer.storeBytes(of: UInt32(newValue), toByteOffset: 28, as: UInt32.self)
    }
  }

  var words: Int {
    Entry.words(keyLength: keyLength, bodyLength: bodyLength) + spareWords
  }
  var key: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: pointer + Entry.headerBytes, count: keyLength)
  }
  var body: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: pointer + Entry.headerBytes + keyLength, count: bodyLength)
  }
  /// Where the channel's name ends in the key.
  var separator: Int { key.firstIndex(of: 0) ?? keyLength }

  func hasKey(_ bytes: UnsafeRawPointer, _ length: Int) -> Bool {
    keyLength == length && isEqual(pointer + Entry.headerBytes, bytes, length)
  }
}

/// Whether two runs of bytes are the same. Short ones, so word by word beats a call.
@inline(__always)
func isEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ count: Int) -> Bool {
  var position = 0
  while position + 8 <= count {
    if left.loadUnaligned(fromByteOffset: position, as: UInt64.self)
      != right.loadUnaligned(fromByteOffset: position, as: UInt64.self)
    {
      return false
    }
    position += 8
  }
  while position < count {
    if left.load(fromByteOffset: position, as: UInt8.self)
      != right.load(fromByteOffset: position, as: UInt8.self)
    {
      return false
    }
    position += 1
  }
  return true
}
