import EventStorage
import Foundation
import SegmentStorage
import Testing

/// Directories that cannot be opened, each with an error that says what, where and what to do.
@Suite struct OpeningTests {
  let directory: TemporaryDirectory

  init() throws { directory = try TemporaryDirectory() }

  private func refusal(
    _ path: String, _ change: (inout SegmentedLog.Options) -> Void = { _ in }
  ) -> String {
    do throws(LogError) {
      let log = try SegmentedLog(opening: path, options: options(change))
      log.close()
      return "opened"
    } catch {
      guard case .cannotOpen(let named, _, _) = error, named.hasPrefix(path) else {
        return "another error: \(error)"
      }
      return "\(error)"
    }
  }

  @Test func `a second opening is refused and names the process that has it`() throws {
    let log = try SegmentedLog(opening: directory.path, options: options())
    #expect(
      refusal(directory.path).contains(
        "in use by process \(getpid()); stop that one, or choose another directory"))
    log.close()
    #expect(refusal(directory.path) == "opened")
  }

  @Test func `another number of partitions than the log has is refused`() throws {
    try SegmentedLog(opening: directory.path, options: options { $0.partitions = nil }).close()
    #expect(
      refusal(directory.path) { $0.partitions = 3 }.contains(
        "it has 2 partitions, and 3 were asked for"))
    #expect(refusal(directory.path) { $0.partitions = 0 }.contains("ask for 1 to 256"))
    #expect(refusal(directory.path) { $0.partitions = nil } == "opened")
    #expect(refusal(directory.path) { $0.partitions = 2 } == "opened")
  }

  @Test func `a file in the place of the directory is refused`() throws {
    let path = directory.path + "/file"
    try Data("x".utf8).write(to: URL(filePath: path))
    #expect(refusal(path).contains("Not a directory"))
    #expect(refusal(directory.path + "/none/log").contains("No such file"))
  }

  @Test(.enabled(if: getuid() != 0, "the superuser may write everywhere"))
  func `a directory that cannot be written is refused, but can be read`() throws {
    try SegmentedLog(opening: directory.path, options: options()).close()
    chmod(directory.path + "/lock", 0o444)
    chmod(directory.path, 0o555)
    defer { chmod(directory.path, 0o755) }
    #expect(refusal(directory.path).contains("give this user write access"))
    #expect(refusal(directory.path) { $0.isReadOnly = true } == "opened")
  }

  @Test func `a disk that forbids writing is refused, and says so`() throws {
    let disk = HostileDisk()
    try SegmentedLog(opening: "log", options: options(), on: disk).close()
    let before = disk.operations
    // Listing comes first, then the lock.
    disk.plan(.fail(EROFS), at: before + 2)
    #expect {
      _ = try SegmentedLog(opening: "log", options: options(), on: disk)
    } throws: { error in
      "\(error)".contains(
        "Read-only file system; give this user write access, or open it read-only")
    }
  }

  @Test func `a full disk is said when a log is made`() throws {
    let disk = HostileDisk()
    disk.plan(.fail(ENOSPC), at: 4)
    #expect {
      _ = try SegmentedLog(opening: "log", options: options(), on: disk)
    } throws: { error in
      "\(error)".contains("No space left on device; make space on this disk")
    }
  }

  @Test func `a log of a later format is refused and left alone`() throws {
    try SegmentedLog(opening: directory.path, options: options()).close()
    let meta = URL(filePath: directory.path + "/log.json")
    let text = try String(contentsOf: meta, encoding: .utf8)
    let later = text.replacingOccurrences(of: "\"format\": 1", with: "\"format\": 2")
    try later.write(to: meta, atomically: false, encoding: .utf8)
    #expect(refusal(directory.path).contains("it is of format 2, and this program reads 1"))
    #expect(try String(contentsOf: meta, encoding: .utf8) == later)
  }

  @Test func `a damaged log file of any kind is refused`() throws {
    try SegmentedLog(opening: directory.path, options: options()).close()
    let meta = URL(filePath: directory.path + "/log.json")
    let whole = try Data(contentsOf: meta)
    for index in whole.indices {
      var damaged = whole
      damaged[index] ^= 1
      try damaged.write(to: meta)
      let answer = refusal(directory.path)
      #expect(
        answer.contains("log.json is damaged; restore it from a copy")
          || answer.contains("it is of format"), "byte \(index): \(answer)")
    }
    for count in 0..<whole.count - 2 {
      try whole.prefix(count).write(to: meta)
      #expect(refusal(directory.path).contains("log.json is damaged"))
    }
  }

  @Test func `a directory with other things in it is not made a log`() throws {
    try Data("x".utf8).write(to: URL(filePath: directory.path + "/holiday.jpg"))
    #expect(
      refusal(directory.path).contains(
        "there is no log.json in it, but holiday.jpg; choose an empty directory"))
  }

  @Test func `a log whose log file is gone is not made anew`() async throws {
    let log = try SegmentedLog(opening: directory.path, options: options())
    _ = try await log.append(AppendBatch([record("a", "b")], timestamp: 0), to: messages)
    log.close()
    try FileManager.default.removeItem(atPath: directory.path + "/log.json")
    #expect(refusal(directory.path).contains("there is no log.json in it, but messages-0"))
  }

  @Test func `a foreign file in a partition is named, one left half written is removed`() throws {
    try SegmentedLog(opening: directory.path, options: options()).close()
    let half = directory.path + "/messages-0/00000000000000000000.log.tmp"
    try Data("x".utf8).write(to: URL(filePath: half))
    #expect(refusal(directory.path) == "opened")
    #expect(!FileManager.default.fileExists(atPath: half))
    try Data("x".utf8).write(to: URL(filePath: directory.path + "/messages-0/notes.txt"))
    #expect(
      refusal(directory.path).contains("notes.txt is not a file of the log; move it elsewhere"))
  }

  @Test func `a missing partition is named`() throws {
    try SegmentedLog(opening: directory.path, options: options()).close()
    try FileManager.default.removeItem(atPath: directory.path + "/topology-0")
    #expect(refusal(directory.path).contains("the directory is missing; restore it from a copy"))
  }

  @Test func `what could be opened is let go of when another partition cannot be`() async throws {
    do {
      let log = try SegmentedLog(opening: directory.path, options: options())
      _ = try await log.append(AppendBatch([record("a", "1")], timestamp: 1), to: messages)
    }
    try FileManager.default.removeItem(atPath: directory.path + "/deliveries-0")
    for _ in 0..<3 { #expect(refusal(directory.path).contains("deliveries-0")) }
    let mine = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
      .compactMap {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
      }
      .filter { $0.hasPrefix(directory.path) }
    #expect(mine == [])
  }

  @Test func `a log that is being written can be read by another process`() async throws {
    let log = try SegmentedLog(opening: directory.path, options: options())
    defer { log.close() }
    _ = try await log.append(AppendBatch([record("a", "b")], timestamp: 0), to: messages)
    let reader = try SegmentedLog(
      opening: directory.path, options: options { $0.isReadOnly = true })
    #expect(reader.identity == log.identity)
    #expect(try reader.all(messages) == log.all(messages))
    await #expect(throws: LogError.stopped(detail: "it was opened read-only")) {
      try await reader.append(AppendBatch([record("a", "b")], timestamp: 0), to: messages)
    }
    reader.close()
    #expect(
      refusal(directory.path + "/none") { $0.isReadOnly = true }.contains("there is no log in it"))
    #expect(!FileManager.default.fileExists(atPath: directory.path + "/none"))
  }
}
