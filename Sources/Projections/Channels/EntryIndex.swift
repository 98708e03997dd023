import CPrefetch

/// Finds entries by hash: open addressing, eight bytes a slot, filled to four fifths at most and halved below a quarter.
///
/// Slots lie in the order of their hashes, so growing is one walk through both tables. Reference 0 is nobody's.
struct EntryIndex {
  /// Slots that are looked at ahead: more than most keys lie from their home.
  private static let guessesMax = 8
  private static let shrinksAbove = 256

  private(set) var slots: UnsafeMutablePointer<UInt64>
  private(set) var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 64) {
    self.capacity = capacity
    slots = .allocate(capacity: capacity)
    slots.initialize(repeating: 0, count: capacity)
  }

  func deallocate() { slots.deallocate() }

  func copy() -> EntryIndex {
    var copy = EntryIndex(capacity: capacity)
    copy.slots.update(from: slots, count: capacity)
    copy.count = count
    return copy
  }

  var memoryBytes: Int { capacity * 8 }

  @inline(__always)
  func prefetch(_ hash: UInt32) { signalbox_prefetch(slots + home(hash)) }

  /// The reference that is probably meant by this hash, for fetching ahead; 0 when it is not near its home.
  @inline(__always)
  func guess(_ hash: UInt32) -> UInt32 {
    var place = home(hash)
    for _ in 0..<EntryIndex.guessesMax {
      let slot = slots[place]
      if UInt32(truncatingIfNeeded: slot >> 32) == hash || slot == 0 {
        return UInt32(truncatingIfNeeded: slot)
      }
      place = after(place)
    }
    return 0
  }

  /// The place of the entry with this hash that `matches`, or nil.
  @inline(__always)
  func find(_ hash: UInt32, _ matches: (UInt32) -> Bool) -> Int? {
    var place = home(hash)
    while true {
      let slot = slots[place]
      if slot == 0 { return nil }
      if UInt32(truncatingIfNeeded: slot >> 32) == hash,
        matches(UInt32(truncatingIfNeeded: slot))
      {
        return place
      }
      place = after(place)
    }
  }

  subscript(place: Int) -> UInt32 {
    get { UInt32(truncatingIfNeeded: slots[place]) }
    nonmutating set { slots[place] = (slots[place] >> 32) << 32 | UInt64(newValue) }
  }

  /// Adds an entry that is not in the table.
  mutating func insert(_ hash: UInt32, _ reference: UInt32) {
    if (count + 1) * 5 > capacity * 4 { resize(to: capacity / 3 * 4 + 64) }
    var place = home(hash)
    while slots[place] != 0 { place = after(place) }
    slots[place] = UInt64(hash) << 32 | UInt64(reference)
    count += 1
  }

  /// Takes the entry at a place out and moves those behind it up. No place is what it was.
  mutating func remove(at place: Int) {
    var hole = place
    var next = after(hole)
    while slots[next] != 0 {
      let home = home(UInt32(truncatingIfNeeded: slots[next] >> 32))
      // It may move when its home does not lie behind the hole.
      let distance = next >= home ? next - home : next + capacity - home
      let gap = next >= hole ? next - hole : next + capacity - hole
      if distance >= gap {
        slots[hole] = slots[next]
        hole = next
      }
      next = after(next)
    }
    slots[hole] = 0
    count -= 1
    if capacity > EntryIndex.shrinksAbove, count * 4 < capacity { resize(to: capacity / 2) }
  }

  private mutating func resize(to wanted: Int) {
    let old = self
    self = EntryIndex(capacity: wanted)
    for place in 0..<old.capacity where old.slots[place] != 0 {
      insert(
        UInt32(truncatingIfNeeded: old.slots[place] >> 32),
        UInt32(truncatingIfNeeded: old.slots[place]))
    }
    old.deallocate()
  }

  @inline(__always)
  private func home(_ hash: UInt32) -> Int {
    Int(truncatingIfNeeded: (UInt64(hash) &* UInt64(capacity)) >> 32)
  }

  @inline(__always)
  private func after(_ place: Int) -> Int { place + 1 == capacity ? 0 : place + 1 }
}
