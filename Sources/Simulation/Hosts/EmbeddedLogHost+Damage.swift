internal import EventStorage

/// What the log says of damage, judged by what was done to the disk.
extension EmbeddedLogHost {
  /// Damage, or a disk that fails: without either, what the log says is wrong.
  func found(_ failure: LogError, errors: Int) {
    if disk.isDead { return }
    switch failure {
    case .corrupt, .stopped, .full, .cannotOpen:
      if !disk.damages.isEmpty, case .corrupt = failure {
        // What cannot be read counts as damaged where it is.
        if disk.errors == errors { judgePlace(failure) }
        world.oracle.counts.damagesFound += 1
        disk.restore()
      } else if disk.errors == errors {
        world.fail(13, "the log found damage that nobody did: \(failure)")
      }
    default: break
    }
  }

  /// The place that is named lies in a segment that was damaged, or where it ends (law 14).
  func judgePlace(_ failure: LogError) {
    guard case .corrupt(let partition, let offset, _) = failure else { return }
    let directory = "log/\(partition.topic.name)-\(partition.index)/"
    let bases = disk.names.files(under: directory)
      .compactMap { EmbeddedLogHost.base(of: $0.path, in: directory) }.sorted()
    let isThere = disk.damages.contains { damage in
      guard let base = EmbeddedLogHost.base(of: damage.path, in: directory) else { return false }
      return base <= offset.rawValue && offset.rawValue <= bases.first { $0 > base } ?? .max
    }
    if !isThere {
      let paths = disk.damages.map(\.path)
      world.fail(14, "the log names \(partition) at \(offset), and damaged were \(paths)")
    }
  }

  /// The first offset of a segment, by its name.
  private static func base(of path: String, in directory: String) -> Int64? {
    guard path.hasPrefix(directory), path.hasSuffix(".log") else { return nil }
    return Int64(path.dropFirst(directory.count).dropLast(4))
  }
}
