import SegmentStorage
import Synchronization

/// A disk that lets somebody else have his turn before an operation: what another process does meanwhile, at any moment one wants.
final class WatchedDisk: Disk {
  private let disk: any Disk
  private let before: @Sendable (_ operation: Int) -> Void
  private let count = Atomic(0)

  init(_ disk: any Disk, before: @escaping @Sendable (_ operation: Int) -> Void) {
    self.disk = disk
    self.before = before
  }

  var operations: Int { count.load(ordering: .relaxed) }

  fileprivate func step() { before(count.add(1, ordering: .relaxed).newValue) }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    step()
    return WatchedFile(try disk.open(path, mode), on: self)
  }

  func lock(_ path: String, text: String) throws(DiskError) -> any DiskFile {
    try disk.lock(path, text: text)
  }

  func rename(_ from: String, to: String) throws(DiskError) { try disk.rename(from, to: to) }
  func remove(_ path: String) throws(DiskError) { try disk.remove(path) }

  func list(_ path: String) throws(DiskError) -> [String]? {
    step()
    return try disk.list(path)
  }

  func makeDirectory(_ path: String) throws(DiskError) { try disk.makeDirectory(path) }
  func syncDirectory(_ path: String) throws(DiskError) { try disk.syncDirectory(path) }
}

private final class WatchedFile: DiskFile {
  private let file: any DiskFile
  private let disk: WatchedDisk

  init(_ file: any DiskFile, on disk: WatchedDisk) {
    self.file = file
    self.disk = disk
  }

  func size() throws(DiskError) -> Int {
    disk.step()
    return try file.size()
  }

  func read(
    _ count: Int, into buffer: inout MutableRawSpan, at position: Int
  ) throws(DiskError) -> Int {
    disk.step()
    return try file.read(count, into: &buffer, at: position)
  }

  func write(_ bytes: RawSpan, at position: Int) throws(DiskError) -> Int {
    try file.write(bytes, at: position)
  }

  func truncate(to size: Int) throws(DiskError) { try file.truncate(to: size) }
  func sync() throws(DiskError) { try file.sync() }
}
