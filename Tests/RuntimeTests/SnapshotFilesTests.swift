import EventStorage
import Foundation
import Projections
import Synchronization
import Testing

@testable import Runtime

@Suite struct SnapshotFilesTests {
  let folder = FileManager.default.temporaryDirectory
    .appendingPathComponent("signalbox-\(UUID().uuidString)").path

  @Test func `the newest comes first and only two are kept`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let files = SnapshotFiles(folder: folder)
    let partition = Partition(.messages, 1)
    for position in [5, 100, 99, 1000] {
      try files.store(
        [UInt8(position & 255)], of: "channels", in: partition, at: Offset(Int64(position)))
    }
    try files.store([7], of: "directory", in: partition, at: Offset(1))
    #expect(
      files.newestFirst(of: "channels", in: partition) == [[UInt8(1000 & 255)], [100]])
    #expect(files.newestFirst(of: "channels", in: Partition(.messages, 0)).isEmpty)
    #expect(files.newestFirst(of: "directory", in: partition) == [[7]])
  }

  @Test func `what was left half written is removed, and nothing else`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let files = SnapshotFiles(folder: folder)
    let partition = Partition(.messages, 0)
    try files.store([1], of: "channels", in: partition, at: Offset(1))
    for name in ["channels-messages-0-00000000000000000002.snapshot.part", "notes.part"] {
      try Data([2]).write(to: URL(filePath: folder + "/" + name))
    }
    files.removeUnfinished()
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == [
        "channels-messages-0-00000000000000000001.snapshot", "notes.part",
      ])
  }

  @Test func `a fold in which nothing is new is not stored again`() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let files = SnapshotFiles(folder: folder)
    let partition = Partition(.messages, 0)
    let position = Mutex(Offset(5))
    var source = SnapshotSource(of: LogIdentity(1)) {
      Fold<Channels>(partition, position: position.withLock { $0 })
    }
    func names() -> [String] {
      ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
    }
    try source.store(in: files)
    #expect(names() == [], "it started from there")
    position.withLock { $0 = Offset(6) }
    try source.store(in: files)
    let name = "channels-messages-0-00000000000000000006.snapshot"
    #expect(names() == [name])
    try FileManager.default.removeItem(atPath: folder + "/" + name)
    try source.store(in: files)
    #expect(names() == [])
  }

  @Test func `a folder that cannot be made is named`() throws {
    let files = SnapshotFiles(folder: "/proc/snapshots")
    #expect {
      try files.store([1], of: "channels", in: Partition(.messages, 0), at: .zero)
    } throws: { "\($0)".contains("/proc/snapshots") }
    #expect(files.newestFirst(of: "channels", in: Partition(.messages, 0)).isEmpty)
  }
}
