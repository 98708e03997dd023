internal import Glibc
internal import PropertyTesting

/// One file as a disk with a cache has it: what readers see, what would be found after a power cut, and the changes between.
final class DiskContent {
  enum Change {
    case write([UInt8], at: Int)
    case truncate(Int)
  }

  static let sectorBytes = 512

  private(set) var now: [UInt8] = []
  private(set) var durable: [UInt8] = []
  private(set) var pending: [Change] = []

  /// Where the newest writes that a sync made durable began: what lies before it can rot without looking like a torn tail.
  private(set) var lastWriteAt = 0

  func change(_ change: Change) {
    DiskContent.apply(change, to: &now)
    pending.append(change)
  }

  /// Makes everything durable.
  func sync() {
    var first: Int?
    for change in pending {
      if case .write(let bytes, let position) = change, bytes.contains(where: { $0 != 0 }) {
        first = min(first ?? position, position)
      }
      DiskContent.apply(change, to: &durable)
    }
    lastWriteAt = first ?? lastWriteAt
    pending = []
  }

  /// A failed sync after which the cache calls its pages clean: readers see them, and no later sync writes them.
  func forgetPending() { pending = [] }

  /// The power went out. Of what was not synced anything may be there: all, nothing, a part, later writes without earlier ones,
  /// garbage. But a sector is written as the cache has it: never a later change of it without an earlier one. And bytes beside a
  /// write stay as they were (powersafe overwrite, as SQLite calls it).
  func lose(_ chance: Chance) {
    var content = durable
    var lost: Set<Int> = []
    for change in pending {
      guard case .write(let bytes, let position) = change else {
        if chance.below(5) != 1 { DiskContent.apply(change, to: &content) }
        continue
      }
      let sectors = DiskContent.sectors(of: position..<position + bytes.count)
      switch chance.below(5) {
      case 1: lost.formUnion(sectors)
      case 2:
        let kept = chance.below(bytes.count + 1)
        let rest = position + kept..<position + bytes.count
        DiskContent.write(Array(bytes.prefix(kept)), at: position, except: lost, to: &content)
        lost.formUnion(DiskContent.sectors(of: rest))
      case 3:
        let mask = chance.choices.full()
        lost.formUnion(sectors.filter { mask >> UInt64($0 % 64) & 1 == 0 })
        DiskContent.write(bytes, at: position, except: lost, to: &content)
      case 4:
        let garbled = DiskContent.garbled(bytes, chance.choices.full())
        DiskContent.write(garbled, at: position, except: lost, to: &content)
        lost.formUnion(sectors)
      default: DiskContent.write(bytes, at: position, except: lost, to: &content)
      }
    }
    pending = []
    durable = content
    now = content
  }

  private static func sectors(of bytes: Range<Int>) -> Range<Int> {
    guard !bytes.isEmpty else { return 0..<0 }
    return bytes.lowerBound / sectorBytes..<(bytes.upperBound - 1) / sectorBytes + 1
  }

  private static func write(
    _ bytes: [UInt8], at position: Int, except lost: Set<Int>, to content: inout [UInt8]
  ) {
    for sector in sectors(of: position..<position + bytes.count) where !lost.contains(sector) {
      let start = max(0, sector * sectorBytes - position)
      let end = min(bytes.count, (sector + 1) * sectorBytes - position)
      apply(.write(Array(bytes[start..<end]), at: position + start), to: &content)
    }
  }

  /// Changes durable bytes behind everybody's back.
  func damage(_ bytes: [UInt8], at position: Int) {
    DiskContent.apply(.write(bytes, at: position), to: &durable)
    DiskContent.apply(.write(bytes, at: position), to: &now)
  }

  static func apply(_ change: Change, to content: inout [UInt8]) {
    switch change {
    case .truncate(let size):
      if size < content.count {
        content.removeLast(content.count - size)
      } else {
        content += repeatElement(0, count: size - content.count)
      }
    case .write(let bytes, let position):
      if content.count < position {
        content += repeatElement(0, count: position - content.count)
      }
      let overlap = min(bytes.count, content.count - position)
      copy(bytes, 0..<overlap, into: &content, at: position)
      content += bytes[overlap...]
    }
  }

  /// The same number of bytes, one sector of which is anything.
  private static func garbled(_ bytes: [UInt8], _ seed: UInt64) -> [UInt8] {
    var bytes = bytes
    guard !bytes.isEmpty else { return bytes }
    let start = Int(seed % UInt64(bytes.count))
    for index in start..<min(bytes.count, start + sectorBytes) {
      bytes[index] ^= UInt8(truncatingIfNeeded: (seed &* UInt64(2 * index + 1)) >> 32)
    }
    return bytes
  }

  private static func copy(
    _ source: [UInt8], _ range: Range<Int>, into target: inout [UInt8], at position: Int
  ) {
    guard !range.isEmpty else { return }
    target.withUnsafeMutableBytes { target in
      source.withUnsafeBytes { source in
        guard let to = target.baseAddress, let from = source.baseAddress else { return }
        memcpy(to + position, from + range.lowerBound, range.count)
      }
    }
  }
}
