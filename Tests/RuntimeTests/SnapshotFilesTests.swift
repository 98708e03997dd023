import EventStorage
import Foundation
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

  @Test func `a folder that cannot be made is named`() throws {
    let files = SnapshotFiles(folder: "/proc/snapshots")
    #expect {
      try files.store([1], of: "channels", in: Partition(.messages, 0), at: .zero)
    } throws: { "\($0)".contains("/proc/snapshots") }
    #expect(files.newestFirst(of: "channels", in: Partition(.messages, 0)).isEmpty)
  }
}
