internal import Glibc
package import SegmentStorage

/// A disk with a cache, in memory: forgets, tears, reorders and garbles what was not synced, fails, fills up, writes to the wrong
/// place, and rots. What was synced is damaged by `rot` and by misdirected writes only, and those are remembered.
///
/// Sendable because a world has one thread.
package final class SimulatedDisk: Disk, @unchecked Sendable {
  /// What was damaged, and what it was before.
  struct Damage {
    var path: String
    var position: Int
    var original: [UInt8]
    /// Nothing was there before: a write was meant for it.
    var isUnwritten = false
  }

  let chance: Chance
  var names = DiskNames()
  /// Files that were opened before this one began belong to a process that is gone.
  private(set) var life = 0
  private var locks: [String: String] = [:]
  /// After so many operations the power goes out.
  private var powerLeft: Int?
  package private(set) var isDead = false
  /// No room for anything more. It has struck once a write was refused.
  package var isFull = false {
    didSet { hasRefused = false }
  }
  private var hasRefused = false
  /// What the operations since the last `takeTime` took.
  private var time = VirtualTime.zero
  private(set) var operations = 0
  /// Operations that failed by an injected fault, not counting a power cut.
  private(set) var errors = 0
  /// Which files a write or a sync failed of in this life: nothing may be acknowledged there.
  private(set) var failedWrites: [(path: String, operation: Int)] = []
  private(set) var damages: [Damage] = []
  /// Set to look at a disk without chance having a part in it.
  var isQuiet = false
  /// Misdirected writes and rot strike these files only.
  var canBeDamaged: (String) -> Bool = { _ in false }
  var canary: Canary?

  package init(_ chance: Chance) { self.chance = chance }

  // MARK: What happens to it

  /// Nothing that is asked of the disk is done any more, until the process that asks has ended.
  func kill() { isDead = true }

  /// The process that used it is gone: its cache stays.
  package func endProcess() {
    life += 1
    locks = [:]
    isDead = false
    powerLeft = nil
    failedWrites = []
  }

  /// The power goes out: the cache is gone.
  package func cutPower() {
    endProcess()
    for (_, content) in names.files() where !content.pending.isEmpty { content.lose(chance) }
    names.lose(chance)
    isFull = false
  }

  /// The power will go out in the middle of whatever is done next.
  func cutPower(after operations: Int) { powerLeft = operations }

  /// Takes everything away.
  func wipe() {
    endProcess()
    names = DiskNames()
    damages = []
  }

  /// What the operations since the last call took.
  func takeTime() -> VirtualTime {
    defer { time = .zero }
    return time
  }

  /// Flips a bit of something that has been durable for a while.
  func rot() -> Bool {
    let candidates = names.files().filter { canBeDamaged($0.path) && $0.content.lastWriteAt > 0 }
    guard !candidates.isEmpty else { return false }
    let (path, content) = candidates[chance.below(candidates.count)]
    let position = chance.below(min(content.lastWriteAt, content.durable.count))
    guard position < content.durable.count, position < content.now.count else { return false }
    damage(path, content, at: position, [content.durable[position] ^ UInt8(1 << chance.below(8))])
    return true
  }

  private func damage(_ path: String, _ content: DiskContent, at position: Int, _ bytes: [UInt8]) {
    let original = Array(content.durable.dropFirst(position).prefix(bytes.count))
    guard original.count == bytes.count else { return }
    damages.append(Damage(path: path, position: position, original: original))
    content.damage(bytes, at: position)
  }

  /// An operator puts back what was damaged, from a copy.
  func restore() { restore { _ in true } }

  /// Puts what was written elsewhere where it belongs.
  func restoreUnwritten() { restore(\.isUnwritten) }

  private func restore(_ isWanted: (Damage) -> Bool) {
    for damage in damages.reversed() where isWanted(damage) {
      names.file(damage.path)?.damage(damage.original, at: damage.position)
    }
    damages.removeAll(where: isWanted)
  }

  // MARK: Disk

  package func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any DiskFile {
    try step("open", path)
    if let found = names.file(path) {
      if case .replace = mode { found.change(.truncate(0)) }
      return SimulatedFile(path, found, on: self)
    }
    if case .read = mode { throw .failed(operation: "open", path: path, code: ENOENT) }
    let content = DiskContent()
    names.set([(path, .file(content))])
    return SimulatedFile(path, content, on: self)
  }

  package func lock(_ path: String, text: String) throws(DiskError) -> any DiskFile {
    if let holder = locks[path] { throw .held(text: holder) }
    let file = try open(path, .write)
    locks[path] = text
    return file
  }

  package func rename(_ from: String, to: String) throws(DiskError) {
    try step("rename", from)
    guard let entry = names[from] else {
      throw .failed(operation: "rename", path: from, code: ENOENT)
    }
    names.set([(from, nil), (to, entry)])
  }

  package func remove(_ path: String) throws(DiskError) {
    try step("remove", path)
    guard names.file(path) != nil else {
      throw .failed(operation: "remove", path: path, code: ENOENT)
    }
    names.set([(path, nil)])
  }

  package func list(_ path: String) throws(DiskError) -> [String]? {
    try step("list", path)
    return names.list(path)
  }

  package func makeDirectory(_ path: String) throws(DiskError) {
    try step("make", path)
    if names[path] == nil { names.set([(path, .directory)]) }
  }

  package func syncDirectory(_ path: String) throws(DiskError) {
    try step("sync", path)
    time += .milliseconds(1)
    if strikes(.syncError) { throw failure("sync", path, EIO) }
    names.sync(path)
  }

  // MARK: For files

  /// Counts an operation, and lets the power go out at the right one.
  func step(_ operation: String, _ path: String, life: Int? = nil) throws(DiskError) {
    operations += 1
    time += VirtualTime(microseconds: 20)
    if let life, life != self.life { throw .failed(operation: operation, path: path, code: EIO) }
    if let left = powerLeft, !isQuiet {
      powerLeft = left - 1
      if left <= 0, !isDead {
        isDead = true
        chance.count(.powerCutInWrite)
      }
    }
    if isDead { throw .failed(operation: operation, path: path, code: EIO) }
  }

  func strikes(_ fault: Fault) -> Bool { !isQuiet && chance.strikes(fault) }

  func wants(_ fault: Fault) -> Bool { !isQuiet && chance.wants(fault) }

  /// A write was refused because the disk is full.
  func refused() {
    if !hasRefused { chance.count(.diskFull) }
    hasRefused = true
  }

  func failure(
    _ operation: String, _ path: String, _ code: Int32, matters: Bool = true
  ) -> DiskError {
    errors += 1
    if operation != "read", matters { failedWrites.append((path, operations)) }
    return .failed(operation: operation, path: path, code: code)
  }

  func spend(_ length: VirtualTime) { time += length }

  /// Writes what was meant for one place over something durable in another file; false when there is no such place.
  func misdirect(
    _ bytes: [UInt8], from path: String, _ content: DiskContent, at position: Int
  ) -> Bool {
    let candidates = names.files().filter {
      canBeDamaged($0.path) && $0.content !== content && $0.content.lastWriteAt > bytes.count
    }
    guard !candidates.isEmpty, bytes.contains(where: { $0 != 0 }) else { return false }
    let (other, victim) = candidates[chance.below(candidates.count)]
    let place = chance.below(victim.lastWriteAt - bytes.count)
    guard place + bytes.count <= min(victim.durable.count, victim.now.count) else { return false }
    damage(other, victim, at: place, bytes)
    damages.append(
      Damage(path: path, position: position, original: bytes, isUnwritten: true))
    chance.count(.misdirected)
    return true
  }
}
