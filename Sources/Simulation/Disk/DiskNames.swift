/// The directories of a disk. A change of a name is durable once its directory was synced; until then a power cut may undo it, and
/// what came after it in the same directory.
struct DiskNames {
  enum Entry {
    case directory
    case file(DiskContent)
  }

  private struct Change {
    var directory: String
    /// What each name stood for before.
    var before: [(path: String, entry: Entry?)]
  }

  private var entries: [String: Entry] = [:]
  private var pending: [Change] = []

  subscript(path: String) -> Entry? { entries[path] }

  func file(_ path: String) -> DiskContent? {
    guard case .file(let content)? = entries[path] else { return nil }
    return content
  }

  /// The files whose paths begin like this, in order.
  func files(under prefix: String = "") -> [(path: String, content: DiskContent)] {
    entries.keys.filter { $0.hasPrefix(prefix) }.sorted()
      .compactMap { path in file(path).map { (path, $0) } }
  }

  /// Names change together, in one directory.
  mutating func set(_ changes: [(path: String, entry: Entry?)]) {
    pending.append(
      Change(
        directory: changes.first.map { DiskNames.parent(of: $0.path) } ?? "",
        before: changes.map { ($0.path, entries[$0.path]) }))
    for (path, entry) in changes { entries[path] = entry }
  }

  /// Sorted, so that a run does not depend on the order of a dictionary.
  func list(_ path: String) -> [String]? {
    guard case .directory? = entries[path] else { return path == "." ? [] : nil }
    return entries.keys.filter { DiskNames.parent(of: $0) == path }
      .map { String($0.dropFirst(path.utf8.count + 1)) }.sorted()
  }

  mutating func sync(_ directory: String) { pending.removeAll { $0.directory == directory } }

  /// The power went out: of each directory's changes the first so many stay.
  mutating func lose(_ chance: Chance) {
    var directories: [String] = []
    for change in pending where !directories.contains(change.directory) {
      directories.append(change.directory)
    }
    for directory in directories {
      let changes = pending.filter { $0.directory == directory }
      for change in changes.suffix(chance.below(changes.count + 1)).reversed() {
        for (path, entry) in change.before { entries[path] = entry }
      }
    }
    pending = []
  }

  static func parent(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return String(path[..<slash])
  }
}
