import HeapModule

/// When messages expire, the next one first. Holds entries of messages that are gone already, which the owner recognises.
struct ExpiryQueue: Sendable {
  struct Expiry: Comparable, Sendable {
    var expiresAt: Int64
    var offset: Int64
    var hash: UInt32
    var key: [UInt8]

    static func < (left: Expiry, right: Expiry) -> Bool {
      (left.expiresAt, left.offset) < (right.expiresAt, right.offset)
    }
  }

  private var heap = Heap<Expiry>()
  private var keyBytes = 0

  var first: Expiry? { heap.min }
  var memoryBytes: Int { heap.count * MemoryLayout<Expiry>.stride + keyBytes + heap.count * 32 }

  mutating func add(
    expiresAt: Int64, offset: Int64, hash: UInt32, key: UnsafeRawBufferPointer
  ) {
    heap.insert(Expiry(expiresAt: expiresAt, offset: offset, hash: hash, key: Array(key)))
    keyBytes += key.count
  }

  mutating func removeFirst() {
    if let first = heap.popMin() { keyBytes -= first.key.count }
  }

  /// More than half of it is of messages that are gone.
  func isStale(live: Int) -> Bool { heap.count > 2 * live + 64 }

  mutating func keep(_ isLive: (Expiry) -> Bool) {
    heap = Heap(heap.unordered.filter(isLive))
    keyBytes = heap.unordered.reduce(0) { $0 + $1.key.count }
  }
}
