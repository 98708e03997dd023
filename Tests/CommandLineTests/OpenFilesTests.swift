import ChildProcesses
import Foundation
import Testing

/// A server that may have few files open.
@Suite struct OpenFilesTests {
  private func serve(_ limits: String) throws -> Served {
    try Served(
      "sh", ["-c", "\(limits); exec '\(Program.path)' serve --port 0 --json --log memory:"])
  }

  @Test func `the soft limit is raised to the hard one`() throws {
    let served = try serve("ulimit -n 4000; ulimit -S -n 256")
    let limits = try String(
      contentsOfFile: "/proc/\(served.process.pid)/limits", encoding: .utf8)
    let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max open files") })
    #expect(line.split(separator: " ").dropFirst(3).prefix(2) == ["4000", "4000"])
    #expect(served.errors.contains("at most 3"), "\(served.errors)")
    #expect(served.end() == 0)
  }

  @Test func `where there is room for few connections the next one is told so, and none hangs`()
    throws
  {
    let served = try serve("ulimit -n 250")
    #expect(served.errors.contains("this process may have 250 files open; raise the limit"))
    let most = try #require(
      served.errors.firstMatch(of: /at most (\d+) connections/).flatMap { Int($0.1) })
    #expect((50...180).contains(most))
    let folder = try Folder()
    let streams = try (0..<most).map { number in
      try ChildProcess(
        "curl", ["-sN", served.url + "/v1/channels/c/events"], output: folder.path + "/\(number)")
    }
    // Everybody who was let in is served.
    for number in 0..<most {
      let isLive = served.waits {
        (try? String(contentsOfFile: folder.path + "/\(number)", encoding: .utf8))?
          .contains("event: live") == true
      }
      #expect(isLive)
      if !isLive { break }
    }
    let isFull = try served.waits {
      try Command("curl", ["-s", "-m", "10", "-w", "%{http_code}", served.url + "/healthz"]).output
        .hasSuffix("503")
    }
    #expect(isFull)
    for stream in streams { stream.end() }
    #expect(served.end() == 0)
  }

  @Test func `where there is room for none it does not start`() throws {
    let ended = try Command(
      "sh", ["-c", "ulimit -n 70; exec '\(Program.path)' serve --port 0 --log memory:"])
    #expect(ended.status == 1)
    #expect(ended.error.contains("no room for connections; raise the limit"), "\(ended.error)")
  }
}
