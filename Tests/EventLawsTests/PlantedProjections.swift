import EventLaws
import EventStorage
import Projections

/// What a value of `Letters` says.
enum LetterMeaning {
  case letter(epoch: UInt8, UInt8)
  case tombstone
  case unknown
  case poison
}

/// A letter for each key, and the epoch in which it was written: what bugs are planted in.
///
/// A value is an epoch below 100 and a letter. The first version wrote the letter alone.
struct Letters<Bug: PlantedBug>: Projection {
  static var name: String { "letters" }
  static var foldVersion: UInt32 { 1 }
  private(set) var counts = FoldCounts()
  private var values: LetterTable = [:]

  init() {}

  mutating func apply(_ bytes: RawSpan, _ rows: Span<RecordRow>, next: Offset) {
    Bug.begin(&values)
    bytes.withUnsafeBytes { buffer in
      for index in rows.indices {
        let row = rows[index]
        let key = Array(buffer[row.key])
        counts.records += 1
        switch Bug.meaning(of: row.isTombstone ? nil : Array(buffer[row.value])) {
        case .letter(let epoch, let letter): Bug.put(key, epoch, letter, &values)
        case .tombstone: Bug.delete(key, &values)
        case .unknown:
          counts.unknown += 1
          values[key] = nil
        case .poison:
          counts.poison += 1
          values[key] = nil
          if Bug.stopsAtPoison { return }
        }
      }
    }
  }

  func encode(into bytes: inout [UInt8]) {
    for (key, value) in Bug.ordered(values) {
      bytes += [UInt8(key.count)] + key + [value.epoch, value.letter]
    }
  }

  init(decoding bytes: RawSpan) throws(SnapshotFailure) {
    self.init()
    var rest = bytes.withUnsafeBytes { Array($0)[...] }
    while let length = rest.popFirst() {
      guard rest.count >= Int(length) + 2 else { throw .damaged("a letter is cut short") }
      let key = Array(rest.prefix(Int(length)))
      rest = rest.dropFirst(Int(length))
      values[key] = (epoch: rest.removeFirst(), letter: rest.removeFirst())
    }
  }
}

typealias LetterTable = [[UInt8]: (epoch: UInt8, letter: UInt8)]

/// Where `Letters` can be wrong. Each bug replaces one of these.
protocol PlantedBug: Sendable {
  static var stopsAtPoison: Bool { get }
  static func begin(_ values: inout LetterTable)
  static func meaning(of value: [UInt8]?) -> LetterMeaning
  static func put(_ key: [UInt8], _ epoch: UInt8, _ letter: UInt8, _ values: inout LetterTable)
  static func delete(_ key: [UInt8], _ values: inout LetterTable)
  static func ordered(_ values: LetterTable) -> [LetterTable.Element]
}

extension PlantedBug {
  static var stopsAtPoison: Bool { false }
  static func begin(_ values: inout LetterTable) {}
  static func meaning(of value: [UInt8]?) -> LetterMeaning {
    guard let value else { return .tombstone }
    if value.count == 2, value[0] < 100 { return .letter(epoch: value[0], value[1]) }
    if value.count == 1, 97...122 ~= value[0] { return .letter(epoch: 0, value[0]) }
    return value == [200] ? .unknown : .poison
  }
  static func put(_ key: [UInt8], _ epoch: UInt8, _ letter: UInt8, _ values: inout LetterTable) {
    values[key] = (epoch: epoch, letter: letter)
  }
  static func delete(_ key: [UInt8], _ values: inout LetterTable) { values[key] = nil }
  static func ordered(_ values: LetterTable) -> [LetterTable.Element] {
    values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
  }
}

/// None at all.
enum NoBug: PlantedBug {}

/// Its bytes depend on the order of a dictionary (law 1).
enum DictionaryOrder: PlantedBug {
  static func ordered(_ values: LetterTable) -> [LetterTable.Element] { Array(values) }
}

/// It forgets letters of epoch 0 when a batch begins (law 2).
enum BatchBorder: PlantedBug {
  static func begin(_ values: inout LetterTable) { values = values.filter { $0.value.epoch > 0 } }
}

/// It leaves out what has an older epoch than what it knows (laws 6 and 7).
enum RejectedEpochs: PlantedBug {
  static func put(_ key: [UInt8], _ epoch: UInt8, _ letter: UInt8, _ values: inout LetterTable) {
    if let known = values[key], known.epoch > epoch { return }
    values[key] = (epoch: epoch, letter: letter)
  }
}

/// It does nothing about tombstones (laws 6 and 8).
enum ForgottenTombstones: PlantedBug {
  static func delete(_ key: [UInt8], _ values: inout LetterTable) {}
}

/// It numbers keys as they come, from whatever partition (law 9).
enum NumberedKeys: PlantedBug {
  static func put(_ key: [UInt8], _ epoch: UInt8, _ letter: UInt8, _ values: inout LetterTable) {
    values[key] = (epoch: values[key]?.epoch ?? UInt8(values.count), letter: letter)
  }
}

/// It leaves the rest of a batch out when a record cannot be decoded (law 10).
enum StopsAtPoison: PlantedBug {
  static var stopsAtPoison: Bool { true }
}

/// It says that it keeps records that cannot be decoded, and keeps none (law 10).
enum LosesPoison: PlantedBug {}

extension Letters: KeepsPoison where Bug == LosesPoison {
  var poisonRecords: [PoisonRecord] { [] }
}

/// It takes an unknown type for bytes that cannot be decoded (law 11).
enum UnknownIsPoison: PlantedBug {
  static func meaning(of value: [UInt8]?) -> LetterMeaning {
    value == [200] ? .poison : NoBug.meaning(of: value)
  }
}

/// It gives letters of the first version an epoch that today's writer would not (law 12).
enum OldLetters: PlantedBug {
  static func meaning(of value: [UInt8]?) -> LetterMeaning {
    if let value, value.count == 1, 97...122 ~= value[0] { return .letter(epoch: 9, value[0]) }
    return NoBug.meaning(of: value)
  }
}
