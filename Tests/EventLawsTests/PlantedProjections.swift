import EventStorage
import Projections

/// A projection of letters by key: what the planted bugs are planted in.
struct Letters<Bug: PlantedBug>: Projection {
  static var name: String { "letters" }
  static var foldVersion: UInt32 { 1 }
  private(set) var counts = FoldCounts()
  var values: [[UInt8]: Value] = [:]

  struct Value { var epoch: UInt8, letter: UInt8 }

  init() {}

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    bytes.withUnsafeBytes { buffer in
      for index in rows.indices {
        let row = rows[index]
        counts.records += 1
        Bug.fold(Array(buffer[row.key]), row.isTombstone ? nil : Array(buffer[row.value]), &values)
      }
    }
  }

  func encode(into bytes: inout [UInt8]) {
    for (key, value) in Bug.ordered(values) {
      bytes += [UInt8(key.count)] + key + Bug.written(value)
    }
  }

  init(decoding bytes: RawSpan) throws(SnapshotFailure) {
    self.init()
    var rest = bytes.withUnsafeBytes { Array($0)[...] }
    while let length = rest.popFirst() {
      guard rest.count >= Int(length) + 2 else { throw .damaged("a letter is cut short") }
      let key = Array(rest.prefix(Int(length)))
      rest = rest.dropFirst(Int(length))
      values[key] = Value(epoch: rest.removeFirst(), letter: rest.removeFirst())
    }
  }
}

/// Where `Letters` can be wrong. Each bug replaces one of these.
protocol PlantedBug: Sendable {
  static func fold(
    _ key: [UInt8], _ value: [UInt8]?, _ values: inout [[UInt8]: Letters<Self>.Value])
  static func ordered(
    _ values: [[UInt8]: Letters<Self>.Value]
  ) -> [(key: [UInt8], value: Letters<Self>.Value)]
  static func written(_ value: Letters<Self>.Value) -> [UInt8]
}

extension PlantedBug {
  static func fold(
    _ key: [UInt8], _ value: [UInt8]?, _ values: inout [[UInt8]: Letters<Self>.Value]
  ) {
    values[key] = value.map { .init(epoch: $0[0], letter: $0[1]) }
  }

  static func ordered(
    _ values: [[UInt8]: Letters<Self>.Value]
  ) -> [(key: [UInt8], value: Letters<Self>.Value)] {
    values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }

  static func written(_ value: Letters<Self>.Value) -> [UInt8] { [value.epoch, value.letter] }
}

/// None at all.
enum NoBug: PlantedBug {}

/// Its bytes depend on the order of a dictionary.
enum DictionaryOrder: PlantedBug {
  static func ordered(
    _ values: [[UInt8]: Letters<Self>.Value]
  ) -> [(key: [UInt8], value: Letters<Self>.Value)] {
    values.map { ($0.key, $0.value) }
  }
}

/// It does nothing about tombstones.
enum ForgottenTombstones: PlantedBug {
  static func fold(
    _ key: [UInt8], _ value: [UInt8]?, _ values: inout [[UInt8]: Letters<Self>.Value]
  ) {
    if let value { values[key] = .init(epoch: value[0], letter: value[1]) }
  }
}

/// It leaves out what has an older epoch than what it knows.
enum RejectedEpochs: PlantedBug {
  static func fold(
    _ key: [UInt8], _ value: [UInt8]?, _ values: inout [[UInt8]: Letters<Self>.Value]
  ) {
    guard let value else { return values[key] = nil }
    if let known = values[key], known.epoch > value[0] { return }
    values[key] = .init(epoch: value[0], letter: value[1])
  }
}
