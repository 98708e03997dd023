internal import Glibc
internal import SegmentStorage

/// An open file of a simulated disk. Dead when the process that opened it is.
final class SimulatedFile: DiskFile, @unchecked Sendable {
  private let path: String
  private let content: DiskContent
  private let disk: SimulatedDisk
  private let life: Int

  init(_ path: String, _ content: DiskContent, on disk: SimulatedDisk) {
    self.path = path
    self.content = content
    self.disk = disk
    life = disk.life
  }

  func size() throws(DiskError) -> Int { content.now.count }

  func read(
    _ count: Int, into buffer: inout MutableRawSpan, at position: Int
  ) throws(DiskError) -> Int {
    try disk.step("read", path, life: life)
    if disk.strikes(.readError) { throw disk.failure("read", path, EIO) }
    let available = max(0, min(count, content.now.count - position))
    guard available > 0 else { return 0 }
    buffer.withUnsafeMutableBytes { target in
      content.now.withUnsafeBytes { source in
        guard let to = target.baseAddress, let from = source.baseAddress else { return }
        memcpy(to, from + position, available)
      }
    }
    return available
  }

  func write(_ bytes: RawSpan, at position: Int) throws(DiskError) -> Int {
    do throws(DiskError) {
      try disk.step("write", path, life: life)
    } catch {
      // Whoever dies while writing has written some of it.
      if disk.isDead, disk.life == life { change(bytes, bytes.byteCount / 2, at: position) }
      throw error
    }
    // Zeros are room for what comes, and may fail.
    let matters = bytes.withUnsafeBytes { $0.contains { $0 != 0 } }
    if disk.isFull, position + bytes.byteCount > content.now.count {
      disk.refused()
      throw disk.failure("write", path, ENOSPC, matters: matters)
    }
    if disk.strikes(.writeError) {
      change(bytes, disk.chance.below(bytes.byteCount + 1), at: position)
      throw disk.failure("write", path, EIO, matters: matters)
    }
    if bytes.byteCount > 1, disk.strikes(.shortWrite) {
      let taken = 1 + disk.chance.below(bytes.byteCount - 1)
      change(bytes, taken, at: position)
      return taken
    }
    if disk.canBeDamaged(path), disk.wants(.misdirected),
      disk.misdirect(bytes.withUnsafeBytes { Array($0) }, from: path, content, at: position)
    {
      return bytes.byteCount
    }
    change(bytes, bytes.byteCount, at: position)
    return bytes.byteCount
  }

  func truncate(to size: Int) throws(DiskError) {
    try disk.step("truncate", path, life: life)
    content.change(.truncate(size))
  }

  func sync() throws(DiskError) {
    try disk.step("sync", path, life: life)
    disk.spend(.milliseconds(1))
    if disk.strikes(.slowSync) { disk.spend(disk.chance.exponential(.milliseconds(300))) }
    if disk.strikes(.syncError) {
      if disk.chance.below(2) == 1 { content.forgetPending() }
      throw disk.failure("sync", path, EIO)
    }
    if case .skipSync = disk.canary, path.hasSuffix(".log") { return }
    content.sync()
  }

  private func change(_ bytes: RawSpan, _ count: Int, at position: Int) {
    guard count > 0 else { return }
    content.change(
      .write(bytes.extracting(first: count).withUnsafeBytes { Array($0) }, at: position))
  }
}
