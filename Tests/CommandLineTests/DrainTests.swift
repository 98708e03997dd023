import ChildProcesses
import Foundation
import Testing

/// In which order SIGTERM ends things.
@Suite struct DrainTests {
  @Test func `streams are told to come back before snapshots are stored`() throws {
    let folder = try Folder()
    let served = try Served(
      "--log", "file:\(folder.path)/log", "--partitions", "1", "--snapshots", folder.path + "/cache"
    )
    let published = try Program("publish", "orders", "1", "--key", "a", "--url", served.url)
    #expect(published.status == 0, "\(published.error)")
    // Writing into a pipe that nobody reads waits: the snapshot takes as long as we like.
    let pipe =
      folder.path + "/cache/channels-messages-0-00000000000000000001.snapshot.part"
    try FileManager.default.createDirectory(
      atPath: folder.path + "/cache", withIntermediateDirectories: true)
    #expect(mkfifo(pipe, 0o600) == 0)
    let stream = folder.path + "/stream"
    let reader = try ChildProcess(
      "curl", ["-sN", served.url + "/v1/channels/orders/events"], output: stream)
    func retries() -> Int {
      let text = (try? String(contentsOfFile: stream, encoding: .utf8)) ?? ""
      return text.contains("event: live") ? text.components(separatedBy: "retry:").count - 1 : 0
    }
    #expect(served.waits { retries() == 1 })
    served.process.signal(SIGTERM)
    // After 30 s everything would be cut off, in whatever order.
    #expect(
      served.waits(for: .seconds(15)) { retries() == 2 },
      "no farewell while the snapshot is being stored")
    #expect(reader.wait(.seconds(30)) == 0)
    #expect(served.process.status == nil, "it did not wait for its snapshot")
    _ = try FileHandle(forReadingFrom: URL(filePath: pipe)).readToEnd()
    #expect(served.process.wait(.seconds(30)) == 0, "\(served.errors)")
  }
}
