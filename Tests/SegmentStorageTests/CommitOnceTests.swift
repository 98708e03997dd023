import EventStorage
import SegmentStorage
import Synchronization
import Testing

/// A log without threads: whoever asks commits.
@Suite struct CommitOnceTests {
  /// Collects what completions say.
  private final class Answers: Sendable {
    private let held = Mutex<[Result<Appended, LogError>]>([])
    var all: [Result<Appended, LogError>] { held.withLock { $0 } }
    func add(_ answer: Result<Appended, LogError>) { held.withLock { $0.append(answer) } }
  }

  private func open(_ disk: HostileDisk) throws -> SegmentedLog {
    try SegmentedLog(opening: "log", options: options { $0.commits = .whenAsked }, on: disk)
  }

  private func append(_ key: String, to log: SegmentedLog, _ answers: Answers) {
    log.append(AppendBatch([record(key, "1")], timestamp: 1), to: messages) { answers.add($0) }
  }

  @Test func `appends wait until somebody commits, and then share one sync`() throws {
    let disk = HostileDisk()
    let log = try open(disk)
    let answers = Answers()
    for key in ["a", "b", "c"] { append(key, to: log, answers) }
    #expect(answers.all.isEmpty)
    #expect(try log.bounds(of: messages).end == .zero)
    #expect(log.commitOnce() == 3)
    #expect(
      answers.all == (0..<3).map { .success(Appended(first: Offset($0), end: Offset($0 + 1))) })
    #expect(log.commitOnce() == 0)
    #expect(try log.all(messages).map(\.key) == ["a", "b", "c"].map { Array($0.utf8) })
  }

  @Test func `a fence is a turn of its own and keeps the older life out (law 16)`() throws {
    let log = try open(HostileDisk())
    let lives = Mutex<[Writer]>([])
    for _ in 0..<2 {
      log.fence(writer: 7, in: topology) { life in
        lives.withLock { $0.append((try? life.get()) ?? Writer(id: -1, epoch: -1)) }
      }
    }
    #expect(log.commitOnce() == 2)
    let found = lives.withLock { $0 }
    #expect(found == [Writer(id: 7, epoch: 0), Writer(id: 7, epoch: 1)])
    let answers = Answers()
    log.append(
      AppendBatch([record("a", "1")], timestamp: 1, writer: found[0]), to: topology
    ) { answers.add($0) }
    log.commitOnce()
    #expect(answers.all == [.failure(.fenced(writer: found[0], current: 1))])
  }

  @Test func `closing performs what waits, also from within a completion`() throws {
    let disk = HostileDisk()
    var log = try open(disk)
    let answers = Answers()
    append("a", to: log, answers)
    log.close()
    #expect(answers.all.count == 1)
    log = try open(disk)
    let closing = log
    log.append(AppendBatch([record("b", "1")], timestamp: 1), to: messages) { answer in
      answers.add(answer)
      closing.close()
    }
    log.commitOnce()
    #expect(answers.all.count == 2)
    #expect(disk["log/messages-0/appends.state"] != nil)
    #expect(try open(disk).all(messages).count == 2)
  }

  @Test func `what was answered no longer counts as waiting`() throws {
    let log = try open(HostileDisk())
    let answers = Answers()
    let large = AppendBatch(
      [NewRecord(key: [1], value: [UInt8](repeating: 0, count: LogLimits.recordBytesMax - 1))],
      timestamp: 1)
    for _ in 0..<20 {
      log.append(large, to: messages) { answers.add($0) }
      log.commitOnce()
    }
    #expect(answers.all.allSatisfy { (try? $0.get()) != nil })
  }
}
