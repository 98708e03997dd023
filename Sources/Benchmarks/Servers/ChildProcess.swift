import CLinux
import Glibc
import Synchronization

/// A server that was started for a case. Ended by its process id: when the case is over, and when this process is told to end.
final class ChildProcess: Sendable {
  let pid: pid_t
  private let output: Int32
  private let isEnded = Mutex(false)

  /// Starts a program, its standard output kept for `line`, its standard error in the file `errors`.
  init(_ path: String, _ arguments: [String], errors: String) throws {
    Children.endWithThisProcess()
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw BenchmarkFailure.system("pipe", errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    // What another thread opened a moment ago is not for this child to keep open.
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var child: pid_t = 0
    // The threads of the pool block signals; a child must not inherit that, or nobody can end it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let code = posix_spawn(&child, path, &actions, &attributes, words, environ)
    close(ends[1])
    guard code == 0 else {
      close(ends[0])
      throw BenchmarkFailure.system("start \(path)", code)
    }
    pid = child
    output = ends[0]
    Children.add(child)
  }

  deinit {
    end()
    close(output)
  }

  /// The next line of its standard output, waiting for it at most `seconds`.
  func line(within seconds: Double) throws -> String {
    var bytes: [UInt8] = []
    let deadline = wallSeconds() + seconds
    while true {
      var poller = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      let left = deadline - wallSeconds()
      guard left > 0, poll(&poller, 1, Int32(left * 1000) + 1) >= 0 else {
        throw BenchmarkFailure("process \(pid) said nothing for \(seconds) s")
      }
      guard poller.revents != 0 else { continue }
      var byte: UInt8 = 0
      guard read(output, &byte, 1) == 1 else {
        throw BenchmarkFailure("process \(pid) ended before it was ready")
      }
      if byte == UInt8(ascii: "\n") { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
  }

  /// Asks it to end, and makes it end when it has not within ten seconds.
  func end(with number: Int32 = SIGTERM) {
    isEnded.withLock { ended in
      guard !ended else { return }
      ended = true
      kill(pid, number)
      var status: Int32 = 0
      let deadline = wallSeconds() + 10
      while waitpid(pid, &status, WNOHANG) == 0 {
        if wallSeconds() > deadline { kill(pid, SIGKILL) }
        usleep(2000)
      }
      Children.remove(pid)
    }
  }

  /// Processor seconds it has had, in user and in kernel mode.
  var processorSeconds: Double {
    let text = contents(ofFile: "/proc/\(pid)/stat")
    // The name in parentheses may hold blanks; the numbers after it do not.
    let fields = text.drop { $0 != ")" }.dropFirst(2).split(separator: " ")
    guard fields.count > 12, let user = Double(fields[11]), let kernel = Double(fields[12]) else {
      return .nan
    }
    return (user + kernel) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  /// Bytes of memory it holds now.
  var residentBytes: Double {
    for line in contents(ofFile: "/proc/\(pid)/status").split(separator: "\n")
    where line.hasPrefix("VmRSS:") {
      let digits = line.filter { $0.isASCII && $0.isNumber }
      return (Double(digits) ?? .nan) * 1024
    }
    return .nan
  }
}

/// The servers that run, for the signal handler: it may touch plain memory only.
private enum Children {
  static let slotsMax = 16
  nonisolated(unsafe) private static let slots: UnsafeMutablePointer<pid_t> = {
    let slots = UnsafeMutablePointer<pid_t>.allocate(capacity: slotsMax)
    slots.initialize(repeating: 0, count: slotsMax)
    return slots
  }()

  private static let handlers: Void = {
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] {
      signal(number) { received in
        Children.killAll()
        _exit(128 + received)
      }
    }
    // A trap comes back to its instruction with the default action: the servers are gone by then.
    for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
      signal(number) { received in
        Children.killAll()
        signal(received, SIG_DFL)
        raise(received)
      }
    }
  }()

  static func endWithThisProcess() {
    _ = slots
    handlers
  }

  /// Two that start at once must not take the same slot; the signal handler only reads.
  private static let changes = Mutex(())

  static func add(_ pid: pid_t) {
    changes.withLock { _ in
      for index in 0..<slotsMax where slots[index] == 0 {
        slots[index] = pid
        return
      }
      preconditionFailure("more than \(slotsMax) servers at once")
    }
  }

  static func remove(_ pid: pid_t) {
    changes.withLock { _ in
      for index in 0..<slotsMax where slots[index] == pid { slots[index] = 0 }
    }
  }

  static func killAll() {
    for index in 0..<slotsMax where slots[index] != 0 { kill(slots[index], SIGKILL) }
  }
}

/// The text of a small file; empty when there is none.
func contents(ofFile path: String) -> String {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return "" }
  defer { close(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = read(file, &chunk, chunk.count)
    guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
    bytes += chunk[..<count]
  }
}
