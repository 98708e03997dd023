package import EventStorage
import Glibc
import SystemPackage

/// The snapshots of an instance in a folder beside its log: a cache, safe to delete, newest first.
///
/// A file is written beside its place, synced and renamed into it, so a reader never meets half of one.
package struct SnapshotFiles: Sendable {
  /// Snapshots kept of one projection of one partition; older ones are removed.
  package static let keptMax = 2

  private let folder: FilePath

  /// The snapshots in this folder, which is made when the first is stored.
  package init(folder: String) { self.folder = FilePath(folder) }

  /// Stores the snapshot of a projection at a position.
  package func store(
    _ bytes: [UInt8], of projection: String, in partition: Partition, at position: Offset
  ) throws(SnapshotFilesFailure) {
    if mkdir(folder.string, 0o755) != 0, errno != EEXIST { throw failure("make the folder") }
    let name = prefix(projection, partition) + SnapshotFiles.digits(position) + ".snapshot"
    let temporary = folder.appending(name + ".part")
    do {
      let file = try FileDescriptor.open(
        temporary, .writeOnly, options: [.create, .truncate], permissions: [.ownerReadWrite])
      try file.closeAfter {
        _ = try file.writeAll(bytes)
        if fsync(file.rawValue) != 0 { throw Errno(rawValue: errno) }
      }
    } catch { throw failure("write \(name): \(error)") }
    guard rename(temporary.string, folder.appending(name).string) == 0 else {
      throw failure("rename \(name)")
    }
    for old in names(of: projection, in: partition).dropFirst(SnapshotFiles.keptMax) {
      unlink(folder.appending(old).string)
    }
  }

  /// Removes what was being written when a process ended. Nobody else may write here.
  package func removeUnfinished() {
    for name in allNames() where name.hasSuffix(".snapshot.part") {
      unlink(folder.appending(name).string)
    }
  }

  /// The bytes of the stored snapshots of a projection, newest first. One that cannot be read is left out.
  package func newestFirst(of projection: String, in partition: Partition) -> [[UInt8]] {
    names(of: projection, in: partition).compactMap { name in
      guard let file = try? FileDescriptor.open(folder.appending(name), .readOnly) else {
        return nil
      }
      return try? file.closeAfter { try SnapshotFiles.contents(of: file) }
    }
  }

  private static func contents(of file: FileDescriptor) throws -> [UInt8] {
    let size = Int(try file.seek(offset: 0, from: .end))
    return try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let read = try file.read(
          fromAbsoluteOffset: Int64(count),
          into: UnsafeMutableRawBufferPointer(
            rebasing: UnsafeMutableRawBufferPointer(buffer)[count...]))
        if read == 0 { break }
        count += read
      }
    }
  }

  private func names(of projection: String, in partition: Partition) -> [String] {
    let prefix = prefix(projection, partition)
    return allNames().filter { $0.hasPrefix(prefix) && $0.hasSuffix(".snapshot") }.sorted(by: >)
  }

  private func allNames() -> [String] {
    guard let stream = opendir(folder.string) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      names.append(name)
    }
    return names
  }

  private func prefix(_ projection: String, _ partition: Partition) -> String {
    "\(projection)-\(partition.topic.name)-\(partition.index)-"
  }

  private static func digits(_ position: Offset) -> String {
    let digits = "\(position)"
    return String(repeating: "0", count: max(0, 20 - digits.count)) + digits
  }

  private func failure(_ what: String) -> SnapshotFilesFailure {
    SnapshotFilesFailure(
      description: "snapshots: cannot \(what) in \(folder): \(String(cString: strerror(errno)))")
  }
}

/// A snapshot that could not be stored. Nothing is lost: the next start folds more of the log.
package struct SnapshotFilesFailure: Error, CustomStringConvertible {
  package let description: String
}
