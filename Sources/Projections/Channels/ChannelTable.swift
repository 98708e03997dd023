import CPrefetch
import EventStorage
import Events

/// The messages of all channels of a partition, in memory of its own.
///
/// Entries are found by their whole key through `keys`; the entries of a channel hang together, and `channels` finds the first of
/// them. An update of a known key touches its slot and its entry and nothing else.
///
/// Sendable because `Channels` changes it only while it holds the only reference, and nothing else sees it.
final class ChannelTable: @unchecked Sendable {
  /// Of an entry, asked for ahead of its use.
  private static let prefetchedBytesMax = 512

  private(set) var arena: Arena
  private var keys: EntryIndex
  private var channels: EntryIndex
  /// Bytes of keys and bodies that are held.
  private(set) var heldBytes = 0

  init() {
    arena = Arena()
    keys = EntryIndex()
    channels = EntryIndex()
  }

  private init(copying other: ChannelTable) {
    arena = other.arena.copy()
    keys = other.keys.copy()
    channels = other.channels.copy()
    heldBytes = other.heldBytes
  }

  deinit {
    arena.deallocate()
    keys.deallocate()
    channels.deallocate()
  }

  func copy() -> ChannelTable { ChannelTable(copying: self) }

  var count: Int { keys.count }
  var memoryBytes: Int { arena.memoryBytes + keys.memoryBytes + channels.memoryBytes }

  @inline(__always)
  func prefetchSlot(_ hash: UInt32) { keys.prefetch(hash) }

  /// Asks for as much of an entry as a message of `bytes` fills; of a long one its beginning, and the processor sees where it goes on.
  @inline(__always)
  func prefetchEntry(_ hash: UInt32, bytes: Int) {
    let guess = keys.guess(hash)
    if guess != 0 {
      let pointer = arena.pointer(guess)
      let last = Entry.headerBytes &+ min(bytes, ChannelTable.prefetchedBytesMax)
      var ahead = 0
      while ahead < last {
        signalbox_prefetch(pointer + ahead)
        ahead &+= 64
      }
      signalbox_prefetch(pointer + last)
    }
  }

  /// Makes a body the message of a key. False, and nothing done, when the key is new and is no text.
  @inline(__always)
  func put(
    _ hash: UInt32, key: UnsafeRawBufferPointer, separator: Int, body: UnsafeRawBufferPointer,
    offset: Int64, timestamp: Int64
  ) -> Bool {
    let keyBytes = key.baseAddress.unsafelyUnwrapped
    let pages = arena.pages
    guard let place = keys.find(hash, { Entry(pages.pointer($0)).hasKey(keyBytes, key.count) })
    else {
      guard ChannelTable.isText(key) else { return false }
      insert(hash, key: key, separator: separator, body: body, offset, timestamp)
      return true
    }
    let entry = Entry(pages.pointer(keys[place]))
    let have = entry.words
    let need = Entry.words(keyLength: key.count, bodyLength: body.count)
    if need <= have, have - need <= 8 {
      heldBytes += body.count - entry.bodyLength
      entry.offset = offset
      entry.timestamp = timestamp
      entry.bodyLength = body.count
      entry.spareWords = have - need
      if let bytes = body.baseAddress {
        (entry.pointer + Entry.headerBytes + key.count).copyMemory(
          from: bytes, byteCount: body.count)
      }
    } else {
      relocate(place, key: key, separator: separator, body: body, offset, timestamp)
    }
    return true
  }

  /// Takes a key away.
  @inline(__always)
  func remove(_ hash: UInt32, key: UnsafeRawBufferPointer) {
    let keyBytes = key.baseAddress.unsafelyUnwrapped
    let pages = arena.pages
    if let place = keys.find(hash, { Entry(pages.pointer($0)).hasKey(keyBytes, key.count) }) {
      remove(at: place)
    }
  }

  /// Whether the message that an expiry was noted for is still the one of its key.
  func holds(_ expiry: ExpiryQueue.Expiry) -> Bool {
    expiry.key.withUnsafeBytes { key in
      guard let keyBytes = key.baseAddress,
        let place = keys.find(
          expiry.hash, { Entry(arena.pointer($0)).hasKey(keyBytes, key.count) })
      else { return false }
      return Entry(arena.pointer(keys[place])).offset == expiry.offset
    }
  }

  /// The entries of a channel, in no order.
  func entries(of channel: UnsafeRawBufferPointer) -> [Entry] {
    var entries: [Entry] = []
    guard let place = head(of: channel) else { return [] }
    var reference = channels[place]
    while reference != 0 {
      let entry = Entry(arena.pointer(reference))
      entries.append(entry)
      reference = entry.next
    }
    return entries
  }

  /// Every entry, in no order.
  var all: [Entry] {
    (0..<keys.capacity).lazy.filter { self.keys.slots[$0] != 0 }
      .map { Entry(self.arena.pointer(self.keys[$0])) }
  }

  private func insert(
    _ hash: UInt32, key: UnsafeRawBufferPointer, separator: Int, body: UnsafeRawBufferPointer,
    _ offset: Int64, _ timestamp: Int64
  ) {
    let reference = write(key, body, offset, timestamp)
    let entry = Entry(arena.pointer(reference))
    entry.previous = 0
    entry.next = 0
    keys.insert(hash, reference)
    let channel = UnsafeRawBufferPointer(rebasing: key[..<separator])
    if let place = head(of: channel) {
      entry.next = channels[place]
      Entry(arena.pointer(channels[place])).previous = reference
      channels[place] = reference
    } else {
      channels.insert(ChannelTable.hash(channel), reference)
    }
    heldBytes += key.count + body.count
    if arena.isWasteful { rebuild() }
  }

  private func relocate(
    _ place: Int, key: UnsafeRawBufferPointer, separator: Int, body: UnsafeRawBufferPointer,
    _ offset: Int64, _ timestamp: Int64
  ) {
    let old = Entry(arena.pointer(keys[place]))
    let oldReference = keys[place]
    let reference = write(key, body, offset, timestamp)
    let entry = Entry(arena.pointer(reference))
    entry.next = old.next
    entry.previous = old.previous
    if old.next != 0 { Entry(arena.pointer(old.next)).previous = reference }
    if old.previous != 0 {
      Entry(arena.pointer(old.previous)).next = reference
    } else if let head = head(of: UnsafeRawBufferPointer(rebasing: key[..<separator])) {
      channels[head] = reference
    }
    keys[place] = reference
    heldBytes += body.count - old.bodyLength
    arena.free(oldReference, words: old.words)
    if arena.isWasteful { rebuild() }
  }

  private func remove(at place: Int) {
    let reference = keys[place]
    let entry = Entry(arena.pointer(reference))
    if entry.next != 0 { Entry(arena.pointer(entry.next)).previous = entry.previous }
    if entry.previous != 0 {
      Entry(arena.pointer(entry.previous)).next = entry.next
    } else {
      let channel = UnsafeRawBufferPointer(rebasing: entry.key[..<entry.separator])
      if let head = head(of: channel) {
        if entry.next == 0 { channels.remove(at: head) } else { channels[head] = entry.next }
      }
    }
    keys.remove(at: place)
    heldBytes -= entry.keyLength + entry.bodyLength
    arena.free(reference, words: entry.words)
    if arena.isWasteful { rebuild() }
  }

  private func write(
    _ key: UnsafeRawBufferPointer, _ body: UnsafeRawBufferPointer, _ offset: Int64,
    _ timestamp: Int64
  ) -> UInt32 {
    let reference = arena.allocate(
      words: Entry.words(keyLength: key.count, bodyLength: body.count))
    let entry = Entry(arena.pointer(reference))
    entry.offset = offset
    entry.timestamp = timestamp
    entry.keyLength = key.count
    entry.spareWords = 0
    entry.bodyLength = body.count
    var target = entry.pointer + Entry.headerBytes
    if let bytes = key.baseAddress { target.copyMemory(from: bytes, byteCount: key.count) }
    target += key.count
    if let bytes = body.baseAddress { target.copyMemory(from: bytes, byteCount: body.count) }
    return reference
  }

  /// Where `channels` holds the first entry of a channel.
  private func head(of channel: UnsafeRawBufferPointer) -> Int? {
    guard let name = channel.baseAddress else { return nil }
    return channels.find(ChannelTable.hash(channel)) { reference in
      let entry = Entry(arena.pointer(reference))
      return entry.keyLength > channel.count
        && entry.key[channel.count] == 0
        && isEqual(entry.pointer + Entry.headerBytes, name, channel.count)
    }
  }

  /// Moves everything into a new arena without holes.
  private func rebuild() {
    let old = arena
    arena = Arena()
    for place in 0..<keys.capacity where keys.slots[place] != 0 {
      let entry = Entry(old.pointer(keys[place]))
      let words = Entry.words(keyLength: entry.keyLength, bodyLength: entry.bodyLength)
      let reference = arena.allocate(words: words)
      entry.spareWords = 0
      arena.pointer(reference).copyMemory(from: entry.pointer, byteCount: words * 8)
      // Where it went, for those that point at it.
      entry.offset = Int64(reference)
      keys[place] = reference
    }
    func moved(_ reference: UInt32) -> UInt32 {
      reference == 0 ? 0 : UInt32(Entry(old.pointer(reference)).offset)
    }
    for place in 0..<keys.capacity where keys.slots[place] != 0 {
      let entry = Entry(arena.pointer(keys[place]))
      entry.next = moved(entry.next)
      entry.previous = moved(entry.previous)
    }
    for place in 0..<channels.capacity where channels.slots[place] != 0 {
      channels[place] = moved(channels[place])
    }
    old.deallocate()
  }

  /// Whether the bytes are a channel's name, a zero and a message's key. Printable ASCII is seen at once.
  private static func isText(_ key: UnsafeRawBufferPointer) -> Bool {
    var zeros = 0
    for byte in key where !(0x20..<0x7f ~= byte) {
      zeros += 1
      if byte != 0 || zeros > 1 { return EventKey.message(bytes: key) != nil }
    }
    return true
  }

  private static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    EntryHash.of(0..<bytes.count, in: bytes.baseAddress.unsafelyUnwrapped)
  }
}
