import Glibc
import PropertyTesting
import SegmentStorage
import Synchronization

/// A disk in memory that forgets what was not synced, and fails when told to.
///
/// Names are durable in the order they were made, up to a point; writes to a file may be torn at any byte and reordered.
final class HostileDisk: Disk {
  /// What happens at the operation with a given number.
  enum Fault {
    /// This and everything after it fails: the process is gone.
    case kill
    case fail(Int32)
    /// As `fail`; a sync that fails leaves its pages in the cache, but called clean, so that no later one writes them.
    case failAndForget(Int32)
    /// A write that takes half of what it is given; no error.
    case short
  }

  private struct World {
    var names: [String: HostileFile] = [:]
    var directories: Set<String> = ["."]
    var durableNames: [String: HostileFile] = [:]
    /// The names after each change that no directory sync has covered.
    var pendingNames: [[String: HostileFile]] = []
    var locks: Set<String> = []
    var operations = 0
    var faultAt: Int?
    var fault = Fault.kill
    var isDead = false
    var isLying = false
  }

  private let world = Mutex(World())

  var operations: Int { world.withLock { $0.operations } }

  /// Whether a sync says that it has, and has not.
  var isLying: Bool {
    get { world.withLock { $0.isLying } }
    set { world.withLock { $0.isLying = newValue } }
  }

  /// Whoever still has this disk is gone from it.
  func kill() { world.withLock { $0.isDead = true } }

  /// From now on, operation `number` goes wrong.
  func plan(_ fault: Fault, at number: Int) {
    world.withLock {
      $0.fault = fault
      $0.faultAt = number
    }
  }

  /// The process that used it is gone, and its cache is still there.
  func revive() {
    world.withLock {
      $0.faultAt = nil
      $0.isDead = false
    }
  }

  fileprivate var forgets: Bool {
    world.withLock { if case .failAndForget = $0.fault { true } else { false } }
  }

  /// Everything so far is durable and healthy again.
  func settle() {
    world.withLock { world in
      world.faultAt = nil
      world.durableNames = world.names
      world.pendingNames = []
      for file in world.names.values { file.settle() }
    }
  }

  /// What is found after the power came back.
  func crashed(_ choices: inout Choices) -> HostileDisk {
    let after = HostileDisk()
    let (names, directories) = world.withLock { world in
      let steps = [world.durableNames] + world.pendingNames
      return (steps[choices.below(steps.count)], world.directories)
    }
    var survivors: [String: HostileFile] = [:]
    for (name, file) in names.sorted(by: { $0.key < $1.key }) {
      survivors[name] = HostileFile(name, on: after, content: file.crashed(&choices))
    }
    after.world.withLock {
      $0.names = survivors
      $0.durableNames = survivors
      $0.directories = directories
    }
    return after
  }

  // MARK: For tests that damage files themselves

  subscript(name: String) -> [UInt8]? {
    get { world.withLock { $0.names[name] }?.content }
    set {
      world.withLock { world in
        world.names[name] = newValue.map { HostileFile(name, on: self, content: $0) }
        world.durableNames = world.names
      }
    }
  }

  var names: [String] { world.withLock { $0.names.keys.sorted() } }

  func copy() -> HostileDisk {
    let other = HostileDisk()
    let (files, directories) = world.withLock { ($0.names.mapValues(\.content), $0.directories) }
    other.world.withLock { world in
      world.directories = directories
      for (name, content) in files {
        world.names[name] = HostileFile(name, on: other, content: content)
      }
      world.durableNames = world.names
    }
    return other
  }

  // MARK: Disk

  func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    _ = try step("open", path)
    let found = world.withLock { $0.names[path] }
    if let found {
      if case .replace = mode { found.change(.truncate(0)) }
      return found
    }
    if case .read = mode { throw .failed(operation: "open", path: path, code: ENOENT) }
    let file = HostileFile(path, on: self, content: [])
    world.withLock { world in
      world.names[path] = file
      world.pendingNames.append(world.names)
    }
    return file
  }

  func lock(_ path: String, text: String) throws(DiskError) -> any DiskFile {
    try open(path, .write)
  }

  func rename(_ from: String, to: String) throws(DiskError) {
    _ = try step("rename", from)
    world.withLock { world in
      world.names[to] = world.names.removeValue(forKey: from)
      world.pendingNames.append(world.names)
    }
  }

  func remove(_ path: String) throws(DiskError) {
    _ = try step("remove", path)
    let removed = world.withLock { world in
      defer { world.pendingNames.append(world.names) }
      return world.names.removeValue(forKey: path)
    }
    if removed == nil { throw .failed(operation: "remove", path: path, code: ENOENT) }
  }

  func list(_ path: String) throws(DiskError) -> [String]? {
    _ = try step("list", path)
    return world.withLock { world in
      guard world.directories.contains(path) else { return nil }
      let all = Array(world.names.keys) + world.directories
      return all.filter { $0.hasPrefix(path + "/") && !$0.dropFirst(path.count + 1).contains("/") }
        .map { String($0.dropFirst(path.count + 1)) }
    }
  }

  func makeDirectory(_ path: String) throws(DiskError) {
    _ = try step("make", path)
    world.withLock { _ = $0.directories.insert(path) }
  }

  func syncDirectory(_ path: String) throws(DiskError) {
    _ = try step("sync", path)
    guard !isLying else { return }
    // As a journal does: everything up to now, whatever the directory.
    world.withLock { world in
      world.durableNames = world.names
      world.pendingNames = []
    }
  }

  /// Counts an operation. False when it is to be cut short.
  fileprivate func step(_ operation: String, _ path: String) throws(DiskError) -> Bool {
    let fault = world.withLock { world -> Fault? in
      world.operations += 1
      if world.isDead { return .kill }
      guard world.operations == world.faultAt else { return nil }
      if case .kill = world.fault { world.isDead = true }
      return world.fault
    }
    switch fault {
    case nil: return true
    case .short?: return false
    case .kill?: throw .failed(operation: operation, path: path, code: EIO)
    case .fail(let code)?, .failAndForget(let code)?:
      throw .failed(operation: operation, path: path, code: code)
    }
  }
}

final class HostileFile: DiskFile {
  enum Change {
    case write([UInt8], at: Int)
    case truncate(Int)
  }

  private struct Content {
    var now: [UInt8]
    var durable: [UInt8]
    var pending: [Change] = []
  }

  private let path: String
  private unowned let disk: HostileDisk
  private let state: Mutex<Content>

  init(_ path: String, on disk: HostileDisk, content: [UInt8]) {
    self.path = path
    self.disk = disk
    state = Mutex(Content(now: content, durable: content))
  }

  var content: [UInt8] { state.withLock { $0.now } }

  func settle() {
    state.withLock {
      $0.durable = $0.now
      $0.pending = []
    }
  }

  func change(_ change: Change) {
    state.withLock { state in
      HostileFile.apply(change, to: &state.now)
      state.pending.append(change)
    }
  }

  /// Some of the changes that were not synced, some of them torn or garbled.
  func crashed(_ choices: inout Choices) -> [UInt8] {
    let (durable, pending) = state.withLock { ($0.durable, $0.pending) }
    var content = durable
    for change in pending {
      switch (change, choices.below(5)) {
      case (_, 0): continue
      case (.write(let bytes, let position), 1):
        let count = choices.below(bytes.count + 1)
        HostileFile.apply(.write(Array(bytes.prefix(count)), at: position), to: &content)
      case (.write(let bytes, let position), 2):
        // Any sectors of it.
        for start in stride(from: 0, to: bytes.count, by: 512) where choices.below(2) == 0 {
          let piece = Array(bytes[start..<min(start + 512, bytes.count)])
          HostileFile.apply(.write(piece, at: position + start), to: &content)
        }
      case (.write(let bytes, let position), 3):
        // The power went out while a sector was written: it holds anything.
        let start = choices.below(max(1, bytes.count))
        let garbage = choices.bytes(atLeast: 1, atMost: 512, mean: 100)
        HostileFile.apply(
          .write(Array(garbage.prefix(bytes.count - start)), at: position + start), to: &content)
      default: HostileFile.apply(change, to: &content)
      }
    }
    return content
  }

  func size() throws(DiskError) -> Int { state.withLock { $0.now.count } }

  func read(
    _ count: Int, into buffer: inout MutableRawSpan, at position: Int
  ) throws(DiskError) -> Int {
    _ = try disk.step("read", path)
    let bytes = state.withLock { Array($0.now.dropFirst(position).prefix(count)) }
    buffer.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
    return bytes.count
  }

  func write(_ bytes: RawSpan, at position: Int) throws(DiskError) -> Int {
    let isWhole: Bool
    do throws(DiskError) {
      isWhole = try disk.step("write", path)
    } catch {
      // Whoever dies while writing may have written some of it.
      change(.write(bytes.withUnsafeBytes { Array($0.prefix($0.count / 2)) }, at: position))
      throw error
    }
    let taken = isWhole ? bytes.byteCount : (bytes.byteCount + 1) / 2
    change(.write(bytes.withUnsafeBytes { Array($0.prefix(taken)) }, at: position))
    return taken
  }

  func truncate(to size: Int) throws(DiskError) {
    _ = try disk.step("truncate", path)
    change(.truncate(size))
  }

  func sync() throws(DiskError) {
    do throws(DiskError) {
      _ = try disk.step("sync", path)
    } catch {
      if disk.forgets { state.withLock { $0.pending = [] } }
      throw error
    }
    if !disk.isLying { settle() }
  }

  private static func apply(_ change: Change, to content: inout [UInt8]) {
    switch change {
    case .truncate(let size):
      if size < content.count {
        content.removeLast(content.count - size)
      } else {
        content += [UInt8](repeating: 0, count: size - content.count)
      }
    case .write(let bytes, let position):
      if content.count < position + bytes.count {
        content += [UInt8](repeating: 0, count: position + bytes.count - content.count)
      }
      content.replaceSubrange(position..<position + bytes.count, with: bytes)
    }
  }
}
