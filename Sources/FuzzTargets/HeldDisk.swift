import SegmentStorage
import Synchronization

/// A disk in memory without faults: what is wrong is in its files.
final class HeldDisk: Disk {
  private let files: Mutex<[String: HeldFile]>

  init(_ files: [String: [UInt8]] = [:]) {
    self.files = Mutex(files.mapValues(HeldFile.init))
  }

  var contents: [String: [UInt8]] { files.withLock { $0.mapValues(\.content) } }

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let file = files.withLock { files -> HeldFile? in
      if let found = files[path] { return found }
      if case .read = mode { return nil }
      let new = HeldFile([])
      files[path] = new
      return new
    }
    // 2: there is no such file.
    guard let file else { throw .failed(operation: "open", path: path, code: 2) }
    if case .replace = mode { try file.truncate(to: 0) }
    return file
  }

  func lock(_ path: String, text: String) throws(DiskError) -> any DiskFile {
    try open(path, .write)
  }

  func rename(_ from: String, to: String) throws(DiskError) {
    files.withLock { $0[to] = $0.removeValue(forKey: from) }
  }

  func remove(_ path: String) throws(DiskError) {
    files.withLock { $0[path] = nil }
  }

  /// A directory is a name that ends in a slash; it is there, too, when something is in it.
  func list(_ path: String) throws(DiskError) -> [String]? {
    let prefix = path + "/"
    let paths = files.withLock { $0.keys.filter { $0.hasPrefix(prefix) } }
    guard !paths.isEmpty else { return nil }
    let names = paths.map { String($0.dropFirst(prefix.count).prefix { $0 != "/" }) }
    return Set(names).subtracting([""]).sorted()
  }

  func makeDirectory(_ path: String) throws(DiskError) {
    files.withLock { $0[path + "/"] = HeldFile([]) }
  }

  func syncDirectory(_ path: String) throws(DiskError) {}
}

final class HeldFile: DiskFile {
  private let bytes: Mutex<[UInt8]>

  init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes) }

  var content: [UInt8] { bytes.withLock { $0 } }

  func size() throws(DiskError) -> Int { bytes.withLock { $0.count } }

  func read(
    _ count: Int, into buffer: inout MutableRawSpan, at position: Int
  ) throws(DiskError) -> Int {
    // 22: an invalid argument, as a file system has it.
    guard position >= 0, count >= 0 else { throw .failed(operation: "read", path: "", code: 22) }
    let content = content
    guard position < content.count else { return 0 }
    let end = min(content.count, position + min(count, content.count))
    for index in position..<end {
      buffer.storeBytes(of: content[index], toByteOffset: index - position, as: UInt8.self)
    }
    return end - position
  }

  func write(_ new: RawSpan, at position: Int) throws(DiskError) -> Int {
    let new = new.withUnsafeBytes { Array($0) }
    bytes.withLock { bytes in
      if bytes.count < position + new.count {
        bytes += [UInt8](repeating: 0, count: position + new.count - bytes.count)
      }
      bytes.replaceSubrange(position..<position + new.count, with: new)
    }
    return new.count
  }

  func truncate(to size: Int) throws(DiskError) {
    bytes.withLock { bytes in
      if size < bytes.count {
        bytes.removeLast(bytes.count - size)
      } else {
        bytes += [UInt8](repeating: 0, count: size - bytes.count)
      }
    }
  }

  func sync() throws(DiskError) {}
}
