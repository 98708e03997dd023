internal import EventStorage

/// Where a partition lives, and how what goes wrong there is said.
struct PartitionPlace: Sendable {
  let partition: Partition
  let directory: String
  let disk: any Disk
  let check: HeaderCheck

  init(_ partition: Partition, inLog path: String, of identity: LogIdentity, on disk: any Disk) {
    self.partition = partition
    directory = "\(path)/\(PartitionPlace.name(of: partition))"
    self.disk = disk
    check = .sealed(identity: identity, partition: partition)
  }

  static func name(of partition: Partition) -> String {
    "\(partition.topic.name)-\(partition.index)"
  }

  func path(_ name: String) -> String { "\(directory)/\(name)" }

  func corrupt(_ offset: Offset, _ detail: String) -> LogError {
    .corrupt(partition, at: offset, detail: detail)
  }

  func cannotOpen(_ reason: String, _ remedy: String) -> LogError {
    .cannotOpen(path: directory, reason: reason, remedy: remedy)
  }

  /// A refusal of the disk while the log is being opened.
  func attempt<R>(_ body: () throws(DiskError) -> R) throws(LogError) -> R {
    do throws(DiskError) {
      return try body()
    } catch {
      throw openFailure(error, at: directory)
    }
  }

  /// A small file, or nil when it is missing.
  func read(_ name: String, atMost limit: Int) throws(LogError) -> [UInt8]? {
    let bytes: [UInt8]?
    do throws(DiskError) {
      bytes = try disk.open(path(name), .read).contents(atMost: limit)
    } catch {
      if error.isMissing { return nil }
      throw openFailure(error, at: path(name))
    }
    guard let bytes else {
      throw cannotOpen("\(name) is over \(limit) bytes", "restore it from a copy")
    }
    return bytes
  }

  /// Takes a segment away that is no longer needed. What a failure leaves is removed on opening, or stays as it was.
  func removeSegment(_ base: Offset) {
    try? disk.remove(path(SegmentName.index(base)))
    try? disk.remove(path(SegmentName.log(base)))
  }

  /// Only saves time later, so it is neither synced nor is a failure one.
  func writeIndex(_ content: IndexFile) {
    let bytes = content.encoded()
    try? unsafe disk.open(path(SegmentName.index(Offset(content.base))), .replace)
      .writeAll(bytes.span.bytes, at: 0)
  }
}

/// What a disk's refusal means to whoever opens a log.
func openFailure(_ error: DiskError, at path: String) -> LogError {
  let remedy =
    if error.isNoRoom {
      "make space on this disk"
    } else if error.isForbidden {
      "give this user write access, or open it read-only"
    } else {
      "check the disk and the path"
    }
  return .cannotOpen(path: path, reason: "\(error)", remedy: remedy)
}
