import PropertyTesting
import SegmentStorage
import Simulation
import Testing

@Suite struct SimulatedDiskTests {
  private func disk(seed: UInt64, _ rates: [(Fault, Int)] = []) -> SimulatedDisk {
    let chance = Chance(Choices(seed: seed))
    for (fault, rate) in rates { chance.rates[fault] = rate }
    return SimulatedDisk(chance)
  }

  private func write(_ bytes: [UInt8], to file: any DiskFile, at position: Int) throws {
    try file.writeAll(bytes.span.bytes, at: position)
  }

  /// The content of a file after a power cut, nil when it has no name any more.
  private func content(_ path: String, of disk: SimulatedDisk) -> [UInt8]? {
    try? disk.open(path, .read).contents(atMost: 1 << 20)
  }

  @Test func `what was synced is there after every power cut, and so is its name`() throws {
    for seed in 0..<50 as Range<UInt64> {
      let disk = disk(seed: seed)
      let file = try disk.open("a", .write)
      try write([1, 2, 3], to: file, at: 0)
      try file.sync()
      try disk.syncDirectory(".")
      try write([4, 5, 6], to: file, at: 3)
      disk.cutPower()
      #expect(content("a", of: disk)?.prefix(3) == [1, 2, 3])
    }
  }

  @Test func `what was not synced may be lost, whole, a part, or garbage`() throws {
    var found: Set<[UInt8]> = []
    for seed in 0..<300 as Range<UInt64> {
      let disk = disk(seed: seed)
      let file = try disk.open("a", .write)
      try disk.syncDirectory(".")
      try write([1, 1], to: file, at: 0)
      try write([2, 2], to: file, at: 512)
      disk.cutPower()
      guard let content = content("a", of: disk) else { continue }
      found.insert(Array(content.prefix(2) + content.dropFirst(512)))
    }
    #expect(found.contains([]), "lost")
    #expect(found.contains([1, 1, 2, 2]), "whole")
    #expect(found.contains([1, 1]), "the first without the second")
    #expect(found.contains([0, 0, 2, 2]), "the second without the first")
    #expect(found.contains([1, 1, 2]), "torn")
    #expect(found.contains { bytes in bytes.contains { $0 > 2 } }, "garbage")
  }

  @Test func `a sector never has a later write without an earlier one`() throws {
    for seed in 0..<300 as Range<UInt64> {
      let disk = disk(seed: seed)
      let file = try disk.open("a", .write)
      try disk.syncDirectory(".")
      try write([1, 1], to: file, at: 0)
      try write([2, 2], to: file, at: 2)
      disk.cutPower()
      guard let content = content("a", of: disk), content.count > 2 else { continue }
      #expect(content[0] != 0 && content[1] != 0)
    }
  }

  @Test func `a name that was not synced may be gone, and its successors with it`() throws {
    var found: Set<[String]> = []
    for seed in 0..<100 as Range<UInt64> {
      let disk = disk(seed: seed)
      try disk.makeDirectory("d")
      try disk.syncDirectory(".")
      for name in ["d/a", "d/b"] { try disk.open(name, .write).sync() }
      try disk.rename("d/a", to: "d/c")
      disk.cutPower()
      found.insert(try #require(try disk.list("d")))
    }
    #expect(found == [[], ["a"], ["a", "b"], ["b", "c"]])
  }

  @Test func `a process that is gone leaves its cache, and cannot write any more`() throws {
    let disk = disk(seed: 1)
    let file = try disk.open("a", .write)
    try write([1], to: file, at: 0)
    disk.endProcess()
    #expect(throws: DiskError.self) { try self.write([2], to: file, at: 0) }
    #expect(throws: DiskError.self) { try file.sync() }
    #expect(content("a", of: disk) == [1])
  }

  @Test(
    arguments: [
      (Fault.readError, "read"), (.writeError, "write"), (.syncError, "sync"),
    ])
  func `a fault that is certain strikes, and is counted`(
    _ fault: Fault, _ operation: String
  ) throws {
    let disk = disk(seed: 3, [(fault, 1_000_000)])
    var failed: [String] = []
    let file = try disk.open("a", .write)
    do { try write([1, 2], to: file, at: 0) } catch { failed.append("write") }
    do { try file.sync() } catch { failed.append("sync") }
    do { _ = try file.contents(atMost: 10) } catch { failed.append("read") }
    #expect(failed == [operation])
  }

  @Test func `a full disk takes nothing more, and what is there can be written over`() throws {
    let disk = disk(seed: 4)
    let file = try disk.open("a", .write)
    try write([1, 2], to: file, at: 0)
    disk.isFull = true
    #expect(throws: DiskError.self) { try self.write([3], to: file, at: 2) }
    try write([9], to: file, at: 0)
    #expect(content("a", of: disk) == [9, 2])
  }

  @Test func `a lock is held until its process has ended`() throws {
    let disk = disk(seed: 5)
    let lock = try disk.lock("lock", text: "one")
    #expect(throws: DiskError.held(text: "one")) { _ = try disk.lock("lock", text: "two") }
    disk.endProcess()
    _ = try disk.lock("lock", text: "two")
    withExtendedLifetime(lock) {}
  }
}
