/// Values by key bytes, for tables of thousands: nodes, clusters. A known key is found without allocating or counting.
///
/// Values stay in the order in which their keys were first seen; canonical encodings sort by key.
struct KeyedTable<Value: BitwiseCopyable & Sendable>: Sendable {
  private struct Place {
    var start: Int
    var length: Int
    var value: Value?
  }

  /// Taken keys without a value that are kept before the table is packed.
  private static var emptyKept: Int { 64 }

  private var keyBytes: [UInt8] = []
  private var places: [Place] = []
  /// By hash; keys that share one take the next free number.
  private var index: [UInt64: Int] = [:]
  private var emptyCount = 0

  /// How many keys have a value.
  var count: Int { places.count - emptyCount }

  /// The place of a key that was seen, or nil.
  func place(of key: UnsafeRawBufferPointer) -> Int? {
    var hash = KeyedTable.hash(key)
    while let place = index[hash] {
      if isKey(places[place].start, places[place].length, key) { return place }
      hash &+= 1
    }
    return nil
  }

  /// The value of a place; nil takes the key away.
  subscript(place: Int) -> Value? {
    get { places[place].value }
    set {
      emptyCount += (places[place].value == nil ? -1 : 0) + (newValue == nil ? 1 : 0)
      places[place].value = newValue
    }
  }

  subscript(key: UnsafeRawBufferPointer) -> Value? {
    get { place(of: key).flatMap { places[$0].value } }
    set {
      if let place = place(of: key) {
        self[place] = newValue
      } else if let newValue {
        if emptyCount > places.count / 2 + KeyedTable.emptyKept { pack() }
        append(key, newValue)
      }
    }
  }

  /// Makes a value that of a key. A key that is seen for the first time must be a name: false, and nothing done, when it is none.
  mutating func set(
    _ key: UnsafeRawBufferPointer, _ value: Value, isName: (UnsafeRawBufferPointer) -> Bool
  ) -> Bool {
    if let place = place(of: key) {
      self[place] = value
    } else {
      guard isName(key) else { return false }
      self[key] = value
    }
    return true
  }

  /// Changes every value.
  mutating func updateAll(_ body: (inout Value) -> Void) {
    for place in places.indices {
      if var value = places[place].value {
        body(&value)
        places[place].value = value
      }
    }
  }

  /// Keys and values in the order of the keys' bytes.
  var sorted: [(key: ArraySlice<UInt8>, value: Value)] {
    places.compactMap { place in
      place.value.map { (keyBytes[place.start..<place.start + place.length], $0) }
    }.sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  private mutating func append(_ key: UnsafeRawBufferPointer, _ value: Value) {
    var hash = KeyedTable.hash(key)
    while index[hash] != nil { hash &+= 1 }
    index[hash] = places.count
    places.append(Place(start: keyBytes.count, length: key.count, value: value))
    keyBytes.append(contentsOf: key)
  }

  private mutating func pack() {
    let kept = sorted
    self = KeyedTable()
    for (key, value) in kept { key.withUnsafeBytes { append($0, value) } }
  }

  private func isKey(_ start: Int, _ length: Int, _ key: UnsafeRawBufferPointer) -> Bool {
    guard length == key.count, let other = key.baseAddress else { return length == key.count }
    return keyBytes.withUnsafeBytes { bytes in
      bytes.baseAddress.map { isEqual($0 + start, other, length) } ?? false
    }
  }

  private static func hash(_ key: UnsafeRawBufferPointer) -> UInt64 {
    key.baseAddress.map { UInt64(EntryHash.of(0..<key.count, in: $0)) << 16 } ?? 0
  }
}
