internal import EventStorage

/// Opens the directory of a log: finds out which log it is, or makes one, and keeps other processes out.
struct LogDirectory {
  static let lockName = "lock"

  let identity: LogIdentity
  let layout: LogLayout
  /// Held as long as the log is open.
  let lock: (any DiskFile)?

  init(
    _ path: String, options: SegmentedLog.Options, disk: any Disk, processID: Int32
  ) throws(LogError) {
    if let wanted = options.partitions, !(1...LogLayout.partitionsMax).contains(wanted) {
      throw .cannotOpen(
        path: path, reason: "\(wanted) partitions were asked for",
        remedy: "ask for 1 to \(LogLayout.partitionsMax)")
    }
    let names = try LogDirectory.attempt(path) { () throws(DiskError) in try disk.list(path) }
    if options.isReadOnly {
      guard let names, names.contains(LogMeta.name) else { throw LogDirectory.noLog(path) }
      lock = nil
    } else {
      try LogDirectory.attempt(path) { () throws(DiskError) in
        if names == nil { try disk.makeDirectory(path) }
      }
      lock = try LogDirectory.lock(path, disk, processID)
      if names?.contains(LogSeal.name) == true { try LogSeal.check(path, disk) }
    }
    if names?.contains(LogMeta.name) == true {
      (identity, layout) = try LogDirectory.read(path, disk)
      // Whoever made it may have died, or failed, before these names were durable.
      if !options.isReadOnly {
        try LogDirectory.attempt(path) { () throws(DiskError) in
          try LogDirectory.syncNames(path, disk)
        }
      }
    } else {
      (identity, layout) = try LogDirectory.make(path, names ?? [], options, disk)
    }
    if let wanted = options.partitions, wanted != layout.partitions {
      throw .cannotOpen(
        path: path, reason: "it has \(layout.partitions) partitions, and \(wanted) were asked for",
        remedy: "leave the number out; it is fixed for ever")
    }
  }

  private static func lock(
    _ path: String, _ disk: any Disk, _ processID: Int32
  ) throws(LogError) -> any DiskFile {
    do throws(DiskError) {
      return try disk.lock("\(path)/\(lockName)", text: "process \(processID)\n")
    } catch {
      guard case .held(let text) = error else { throw openFailure(error, at: path) }
      let holder = text.split(separator: "\n").first.map(String.init) ?? "another process"
      throw .cannotOpen(
        path: path, reason: "it is in use by \(holder)",
        remedy: "stop that one, or choose another directory")
    }
  }

  private static func read(
    _ path: String, _ disk: any Disk
  ) throws(LogError) -> (LogIdentity, LogLayout) {
    let bytes = try attempt(path) { () throws(DiskError) in
      try disk.open("\(path)/\(LogMeta.name)", .read).contents(atMost: LogMeta.bytesMax)
    }
    return try LogMeta.decode(bytes ?? [], at: path)
  }

  /// Makes a log. Its `log.json` comes last: until then a crash leaves something that is made again.
  private static func make(
    _ path: String, _ names: [String], _ options: SegmentedLog.Options, _ disk: any Disk
  ) throws(LogError) -> (LogIdentity, LogLayout) {
    var generator = SystemRandomNumberGenerator()
    let identity = options.identity ?? LogIdentity(generator.next())
    let layout = LogLayout(partitions: options.partitions ?? 2)
    try refuseForeign(names, path, disk)
    try attempt(path) { () throws(DiskError) in
      for partition in layout.all {
        try disk.makeDirectory("\(path)/\(PartitionPlace.name(of: partition))")
      }
      try disk.syncDirectory(path)
      let meta = LogMeta(identity: identity, partitions: layout.partitions)
      try unsafe disk.replace(
        "\(path)/\(LogMeta.name)", in: path, with: meta.encoded().span.bytes)
      try syncNames(path, disk)
    }
    return (identity, layout)
  }

  /// What is in the directory, and that it is there.
  private static func syncNames(_ path: String, _ disk: any Disk) throws(DiskError) {
    try disk.syncDirectory(path)
    let parent = path.split(separator: "/").dropLast().joined(separator: "/")
    let above = path.hasPrefix("/") ? "/" + parent : parent
    try disk.syncDirectory(above.isEmpty ? "." : above)
  }

  /// A log is made in a directory that is empty, or in what a crash left of making one.
  private static func refuseForeign(
    _ names: [String], _ path: String, _ disk: any Disk
  ) throws(LogError) {
    let ours = Set(
      LogLayout(partitions: LogLayout.partitionsMax).all.map(PartitionPlace.name(of:)))
    for name in names.sorted() where name != lockName && name != LogMeta.name + ".tmp" {
      if ours.contains(name),
        try attempt(path, { () throws(DiskError) in try disk.list("\(path)/\(name)") })?.isEmpty
          == true
      {
        continue
      }
      throw .cannotOpen(
        path: path, reason: "there is no \(LogMeta.name) in it, but \(name)",
        remedy: "choose an empty directory, or restore \(LogMeta.name) from a copy")
    }
  }

  private static func noLog(_ path: String) -> LogError {
    .cannotOpen(path: path, reason: "there is no log in it", remedy: "check the path")
  }

  private static func attempt<R>(
    _ path: String, _ body: () throws(DiskError) -> R
  ) throws(LogError) -> R {
    do throws(DiskError) {
      return try body()
    } catch {
      throw openFailure(error, at: path)
    }
  }
}
