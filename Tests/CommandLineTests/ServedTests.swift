import ChildProcesses
import Foundation
import Testing

/// `signalbox serve` in a process of its own, ended with the test.
final class Served {
  let process: ChildProcess
  let url: String
  private let folder: Folder

  convenience init(_ arguments: String...) throws {
    try self.init(Program.path, ["serve", "--port", "0", "--json"] + arguments)
  }

  /// Any command that ends up as a server and says where it listens.
  init(_ program: String, _ arguments: [String]) throws {
    folder = try Folder()
    let output = folder.path + "/output"
    process = try ChildProcess(program, arguments, output: output, errors: folder.path + "/errors")
    let deadline = ContinuousClock.now + .seconds(60)
    var line = Data()
    while process.status == nil, line.last != UInt8(ascii: "\n"), .now < deadline {
      usleep(1000)
      line = (try? Data(contentsOf: URL(filePath: output))) ?? Data()
    }
    let object = try JSONSerialization.jsonObject(with: line) as? [String: Any]
    url = try #require(object?["url"] as? String)
  }

  /// What it has said on standard error so far.
  var errors: String {
    (try? String(contentsOfFile: folder.path + "/errors", encoding: .utf8)) ?? ""
  }

  /// What a page says: the status and the body.
  func get(_ path: String) throws -> (status: String, body: String) {
    let answer = try Command("curl", ["-s", "-w", "\n%{http_code}", url + path]).output
    let end = answer.lastIndex(of: "\n") ?? answer.startIndex
    return (String(answer[end...].dropFirst()), String(answer[..<end]))
  }

  /// Asks until it is so, for a minute at most unless told otherwise.
  func waits(
    for limit: Duration = .seconds(60), until holds: () throws -> Bool
  ) rethrows -> Bool {
    let deadline = ContinuousClock.now + limit
    while .now < deadline {
      if try holds() { return true }
      usleep(20_000)
    }
    return false
  }

  /// SIGTERM, and the exit code.
  func end() -> Int32? {
    process.signal(SIGTERM)
    return process.wait(.seconds(30))
  }
}

@Suite struct ServedTests {
  @Test
  func `what is published is printed by subscribe, replay says the same, SIGTERM ends with 0`()
    throws
  {
    let folder = try Folder()
    let served = try Served("--log", "file:\(folder.path)/log")
    let first = try Program("publish", "orders", #"{"n":1}"#, "--key", "a", "--url", served.url)
    #expect(first.status == 0, "\(first.error)")
    let position = first.output.trimmingCharacters(in: .whitespacesAndNewlines)
    let second = try Program("publish", "orders", "--key", "b", "--url", served.url, input: "text")
    #expect(second.status == 0, "\(second.error)")
    #expect(
      try Program("publish", "orders", "--key", "a", "--delete", "--url", served.url).status == 0)

    let fresh = try Program("subscribe", "orders", "--count", "3", "--url", served.url)
    let lines = fresh.output.split(separator: "\n")
    #expect(lines.map { $0.prefix { $0 != "\t" } } == ["snapshot", "message", "live"])
    #expect(lines.count == 3 && lines[1].contains(#""data":"text""#))

    let resumed = try Program(
      "subscribe", "orders", "--from", position, "--count", "4", "--url", served.url)
    let events = resumed.output.split(separator: "\n").map { $0.prefix { $0 != "\t" } }
    #expect(events == ["resumed", "message", "delete", "live"])

    let now = try Program("replay", "--log", "file:\(folder.path)/log", "--channel", "orders")
    #expect(now.output == "b\ttext\n", "\(now.error)")
    let past = try Program(
      "replay", "--log", "file:\(folder.path)/log", "--channel", "orders", "--position", position)
    #expect(past.output == "a\t{\"n\":1}\n", "\(past.error)")
    #expect(served.end() == 0)
  }

  @Test func `a log that is served is locked, and says by whom`() throws {
    let folder = try Folder()
    let served = try Served("--log", "file:\(folder.path)/log")
    let other = try Program("serve", "--port", "0", "--log", "file:\(folder.path)/log")
    #expect(other.status == 1)
    #expect(other.error.contains("\(served.process.pid)"), "\(other.error)")
    #expect(served.end() == 0)
  }

  @Test func `topology is started from a snapshot, and replay says what it is`() throws {
    let folder = try Folder()
    let arguments = [
      "--log", "file:\(folder.path)/log", "--partitions", "1", "--snapshot-seconds", "1",
      "--log-level", "info",
    ]
    let first = try Served(Program.path, ["serve", "--port", "0", "--json"] + arguments)
    let joined = try Command(
      "curl", ["-s", "-X", "PUT", "-d", #"{"capacity":4}"#, first.url + "/v1/nodes/n1"])
    #expect(joined.status == 0)
    #expect(try first.waits { try first.get("/v1/nodes").body.contains("n1") })
    #expect(first.end() == 0)
    let names = try FileManager.default.contentsOfDirectory(
      atPath: folder.path + "/log/snapshots")
    let name = try #require(names.first { $0.hasPrefix("directory-topology-0-") })
    let position = try #require(Int(name.dropFirst("directory-topology-0-".count).prefix(20)))

    let second = try Served(Program.path, ["serve", "--port", "0", "--json"] + arguments)
    #expect(second.errors.contains("topology/0 starts at \(position)"), "\(second.errors)")
    #expect(try second.get("/v1/nodes").body.contains("n1"))
    let replay = try Program("replay", "--log", "file:\(folder.path)/log", "--json")
    let lines = try JSONDecoder().decode([Line].self, from: Data(replay.output.utf8))
    #expect(lines.map(\.projection) == ["channels", "directory", "routing-table"])
    #expect(lines.map(\.partition) == ["messages/0", "topology/0", "topology/0"])
    #expect(lines.map(\.messages) == [0, 0, 0])
    #expect(lines.map(\.nodes) == [nil, 1, nil])
    #expect(lines.map(\.routes) == [nil, nil, 0])
    #expect(lines.allSatisfy { $0.digest.count == 64 })
    #expect(second.end() == 0)
  }

  private struct Line: Decodable {
    var partition: String
    var projection: String
    var messages: Int
    var nodes: Int?
    var routes: Int?
    var digest: String
  }

  @Test func `a stream on which nothing comes is made again, and misses nothing`() throws {
    let folder = try Folder()
    let served = try Served("--log", "memory:", "--heartbeat-seconds", "1")
    let subscriber = try ChildProcess(
      Program.path, ["subscribe", "orders", "--silence", "3", "--url", served.url],
      output: folder.path + "/events", errors: folder.path + "/errors")
    func text(_ name: String) -> String {
      (try? String(contentsOfFile: folder.path + "/" + name, encoding: .utf8)) ?? ""
    }
    #expect(served.waits { text("events").contains("live") })
    // Long enough to be taken for silence, were there no heartbeats.
    sleep(4)
    #expect(text("errors") == "")
    served.process.signal(SIGSTOP)
    #expect(served.waits { text("errors").contains("trying again") })
    served.process.signal(SIGCONT)
    #expect(served.waits { text("events").contains("resumed") })
    let published = try Program("publish", "orders", "hello", "--url", served.url)
    #expect(published.status == 0, "\(published.error)")
    #expect(served.waits { text("events").contains("hello") })
    subscriber.end()
    #expect(served.end() == 0)
  }

  @Test func `that the log cannot be compacted is logged once and stands in readyz`() throws {
    let folder = try Folder()
    let served = try Served(
      "--log", "file:\(folder.path)/log", "--partitions", "1", "--segment-bytes", "65536",
      "--compaction-seconds", "1")
    #expect(try !served.get("/readyz").body.contains("maintenance"))
    // A folder where the state of compaction is written first.
    let obstacle = folder.path + "/log/messages-0/compaction.state.tmp"
    try FileManager.default.createDirectory(
      atPath: obstacle, withIntermediateDirectories: false)
    // Random, so that no compression makes it small.
    var generator = SystemRandomNumberGenerator()
    let large = (0..<5_000).map { _ in String(generator.next(), radix: 36) }.joined()
    for _ in 0..<2 {
      let published = try Program(
        "publish", "orders", "--key", "a", "--url", served.url, input: large)
      #expect(published.status == 0, "\(published.error)")
    }
    #expect(
      try served.waits {
        try served.get("/readyz").body.contains(
          #""maintenance":"the log has stopped: compacting messages/0"#)
      })
    #expect(try served.get("/readyz").status == "200")
    // A few more rounds.
    sleep(3)
    #expect(served.errors.components(separatedBy: "not compacted").count == 2, "\(served.errors)")
    try FileManager.default.removeItem(atPath: obstacle)
    #expect(try served.waits { try !served.get("/readyz").body.contains("maintenance") })
    #expect(served.errors.contains("is compacted again"))
    #expect(served.end() == 0)
  }

  @Test func `what the server refuses is said in one line`() throws {
    let served = try Served("--log", "memory:")
    let refused = try Program(
      "publish", "orders", "{", "--content-type", "application/json", "--url", served.url)
    #expect(refused.status == 1)
    #expect(refused.error.contains("400"), "\(refused.error)")
    #expect(refused.error.split(separator: "\n").count == 1)
  }

  /// Law 1, across processes.
  @Test func `the recording has one digest in ten processes`() throws {
    let january = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../replay/nyc-departures/january").path
    var digests: Set<String> = []
    for _ in 0..<10 {
      let replay = try Program(
        "replay", "--log", "recording:\(january)", "--until", "2013-01-07T13:30:00Z", "--json")
      #expect(replay.status == 0, "\(replay.error)")
      digests.insert(replay.output)
    }
    #expect(digests.count == 1)
    #expect(
      digests.first?.contains("ea0ab837ec12351bbdd314becfe1bd2e903ab3d68a92fbcd914fa33624821612")
        == true)
  }
}
