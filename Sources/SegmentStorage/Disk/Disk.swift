/// What the log needs of a file system. The real one is `POSIXDisk`; tests and the simulator bring hostile ones.
///
/// Paths are absolute or relative to the working directory, parts parted by `/`. Nothing is durable before `sync` (content of a
/// file) or `syncDirectory` (names) has returned.
package protocol Disk: Sendable {
  /// Opens a file for reading, and for writing too unless told otherwise.
  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile
  /// Holds `path` against other processes until the file is let go of, and writes `text` into it.
  /// - Throws: `.held` with the text of the holder.
  func lock(_ path: String, text: String) throws(DiskError) -> any DiskFile
  /// Puts `from` in the place of `to` in one step.
  func rename(_ from: String, to: String) throws(DiskError)
  func remove(_ path: String) throws(DiskError)
  /// The names in a directory, in no order; nil when there is no such directory.
  func list(_ path: String) throws(DiskError) -> [String]?
  /// Makes a directory; one that is there is fine.
  func makeDirectory(_ path: String) throws(DiskError)
  func syncDirectory(_ path: String) throws(DiskError)
}

package enum OpenMode: Sendable {
  case read
  /// Made when missing.
  case write
  /// Made when missing, emptied when not.
  case replace
}

/// An open file. Closed when the last reference goes.
package protocol DiskFile: AnyObject, Sendable {
  func size() throws(DiskError) -> Int
  /// Reads `count` bytes from `position` on to the start of `buffer`. Fewer only at the end of the file.
  func read(
    _ count: Int, into buffer: inout MutableRawSpan, at position: Int
  ) throws(DiskError) -> Int
  /// - Returns: how many bytes were written, which may be fewer.
  func write(_ bytes: RawSpan, at position: Int) throws(DiskError) -> Int
  func truncate(to size: Int) throws(DiskError)
  /// Makes the content durable.
  func sync() throws(DiskError)
}

/// A call that the file system refused.
package enum DiskError: Error, Equatable, Sendable {
  case failed(operation: String, path: String, code: Int32)
  /// Another process holds the lock, and left this text.
  case held(text: String)
}

extension DiskFile {
  /// Writes all of `bytes`, in several steps where the disk takes fewer at a time.
  package func writeAll(_ bytes: RawSpan, at position: Int) throws(DiskError) {
    var written = 0
    while written < bytes.byteCount {
      let step = try write(bytes.extracting(droppingFirst: written), at: position + written)
      // A file system that takes nothing and reports no error has no room.
      guard step > 0 else { throw DiskError.noRoom(operation: "write", path: "") }
      written += step
    }
  }

  /// The whole content, for small files.
  package func contents(atMost limit: Int) throws(DiskError) -> [UInt8]? {
    let size = try size()
    guard size <= limit else { return nil }
    var bytes = [UInt8](repeating: 0, count: size)
    var span = bytes.mutableSpan
    var raw = unsafe span.mutableBytes
    let count = try read(size, into: &raw, at: 0)
    return Array(bytes.prefix(count))
  }
}

extension Disk {
  /// Replaces a small file in one step: after a crash it is the old one or the new one.
  package func replace(_ path: String, in directory: String, with bytes: RawSpan) throws(DiskError)
  {
    let temporary = path + ".tmp"
    let file = try open(temporary, .replace)
    try file.writeAll(bytes, at: 0)
    try file.sync()
    try rename(temporary, to: path)
    try syncDirectory(directory)
  }
}
