import Glibc

/// The files that this process may have open: every connection is one, and so is every segment of the log.
struct OpenFiles {
  /// Kept for what the log opens while it is served: new segments, compaction, snapshots.
  static let spare = 64

  /// How many it may have open.
  let limit: Int
  /// How many it has.
  let count: Int

  /// Raises the limit as far as the system lets this process.
  static func raiseLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0,
      limit.rlim_cur < limit.rlim_max
    else { return }
    limit.rlim_cur = limit.rlim_max
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  /// As it is now.
  static func now() -> OpenFiles {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
      return OpenFiles(limit: .max, count: 0)
    }
    var count = 0
    if let directory = opendir("/proc/self/fd") {
      while readdir(directory) != nil { count += 1 }
      closedir(directory)
    }
    return OpenFiles(limit: Int(clamping: limit.rlim_cur), count: count)
  }

  /// As many connections as are wanted, or as there is room for; and how many more can be told to come back.
  ///
  /// Where a connection cannot even be accepted, a client waits for an answer that never comes.
  ///
  /// - Parameter loops: event loops that are still to be made, each of a few files.
  func connections(
    wanted: Int, refusals: Int, loops: Int
  ) throws(SettingsFailure) -> (connections: Int, refusals: Int) {
    let room = limit - count - OpenFiles.spare - 4 * loops
    if room >= wanted + refusals { return (wanted, refusals) }
    let refusals = min(refusals, room / 4)
    guard room - refusals > 0 else {
      throw SettingsFailure(
        description: "this process may have \(limit) files open, and \(count) are: "
          + "there is no room for connections; raise the limit (ulimit -n, LimitNOFILE= in systemd)"
      )
    }
    return (min(wanted, room - refusals), refusals)
  }
}
