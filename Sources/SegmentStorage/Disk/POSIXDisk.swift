internal import Glibc

/// The file system of this machine.
package struct POSIXDisk: Disk {
  package init() {}

  package func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    let flags: Int32 =
      switch mode {
      case .read: O_RDONLY
      case .write: O_RDWR | O_CREAT
      case .replace: O_RDWR | O_CREAT | O_TRUNC
      }
    return try POSIXFile(path, flags: flags)
  }

  package func lock(_ path: String, text: String) throws(DiskError) -> any DiskFile {
    let file = try POSIXFile(path, flags: O_RDWR | O_CREAT)
    guard try file.lock() else {
      let holder = try file.contents(atMost: 256) ?? []
      throw .held(text: String(decoding: holder, as: UTF8.self))
    }
    try file.truncate(to: 0)
    try unsafe file.writeAll(Array(text.utf8).span.bytes, at: 0)
    return file
  }

  package func rename(_ from: String, to: String) throws(DiskError) {
    try unsafe check(Glibc.rename(from, to), "rename", from)
  }

  package func remove(_ path: String) throws(DiskError) {
    try unsafe check(unlink(path), "remove", path)
  }

  package func list(_ path: String) throws(DiskError) -> [String]? {
    guard let directory = unsafe opendir(path) else {
      if errno == ENOENT { return nil }
      throw .failed(operation: "list", path: path, code: errno)
    }
    defer { unsafe _ = closedir(directory) }
    var names: [String] = []
    while true {
      // The end and a failure look the same but for errno. Half a list would let a log be made over one that is there.
      errno = 0
      guard let entry = unsafe readdir(directory) else {
        if errno == 0 { return names }
        throw .failed(operation: "list", path: path, code: errno)
      }
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) {
          unsafe String(cString: $0)
        }
      }
      if name != "." && name != ".." { names.append(name) }
    }
  }

  package func makeDirectory(_ path: String) throws(DiskError) {
    if unsafe mkdir(path, 0o755) != 0 && errno != EEXIST {
      throw .failed(operation: "make", path: path, code: errno)
    }
  }

  package func syncDirectory(_ path: String) throws(DiskError) {
    let directory = try POSIXFile(path, flags: O_RDONLY | O_DIRECTORY)
    try directory.syncAll()
  }

  private func check(_ code: Int32, _ operation: String, _ path: String) throws(DiskError) {
    if code != 0 { throw .failed(operation: operation, path: path, code: errno) }
  }
}

/// A descriptor. Reads and writes name their position, so threads share it freely.
private final class POSIXFile: DiskFile {
  private let descriptor: Int32
  private let path: String

  init(_ path: String, flags: Int32) throws(DiskError) {
    self.path = path
    descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw failure("open") }
  }

  deinit { if descriptor >= 0 { _ = close(descriptor) } }

  /// False when somebody else holds it.
  func lock() throws(DiskError) -> Bool {
    if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
    if errno == EWOULDBLOCK { return false }
    throw failure("lock")
  }

  func size() throws(DiskError) -> Int {
    var status = stat()
    if unsafe fstat(descriptor, &status) != 0 { throw failure("stat") }
    return Int(status.st_size)
  }

  func read(
    _ wanted: Int, into buffer: inout MutableRawSpan, at position: Int
  ) throws(DiskError) -> Int {
    precondition(wanted <= buffer.byteCount, "\(wanted) bytes into \(buffer.byteCount)")
    var count = 0
    while count < wanted {
      let step = unsafe buffer.withUnsafeMutableBytes { bytes in
        unsafe pread(
          descriptor, bytes.baseAddress?.advanced(by: count), wanted - count,
          off_t(position + count))
      }
      if step < 0 {
        if errno == EINTR { continue }
        throw failure("read")
      }
      if step == 0 { break }
      count += step
    }
    return count
  }

  func write(_ bytes: RawSpan, at position: Int) throws(DiskError) -> Int {
    while true {
      let step = unsafe bytes.withUnsafeBytes { buffer in
        unsafe pwrite(descriptor, buffer.baseAddress, buffer.count, off_t(position))
      }
      if step >= 0 { return step }
      if errno != EINTR { throw failure("write") }
    }
  }

  func truncate(to size: Int) throws(DiskError) {
    if ftruncate(descriptor, off_t(size)) != 0 { throw failure("truncate") }
  }

  func sync() throws(DiskError) {
    if fdatasync(descriptor) != 0 { throw failure("sync") }
  }

  /// Directories are synced whole.
  func syncAll() throws(DiskError) {
    if fsync(descriptor) != 0 { throw failure("sync") }
  }

  private func failure(_ operation: String) -> DiskError {
    .failed(operation: operation, path: path, code: errno)
  }
}
