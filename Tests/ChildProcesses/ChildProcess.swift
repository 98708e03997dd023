import CLinux
import Foundation
import Glibc
import Synchronization

/// A program that runs beside the tests, in a process group of its own.
///
/// It inherits nothing but its three standard files. Tests run at the same time: whoever inherited the end of another's pipe or
/// socket would keep that open for as long as it lives, and who reads it to its end would wait for that.
package final class ChildProcess: Sendable {
  package let pid: Int32
  private let code = Mutex<Int32?>(nil)

  /// Starts a program that has a path, or is found in `PATH`.
  ///
  /// - Parameters:
  ///   - output: the path of the file that its standard output is added to; its standard error, too, if `errors` is nil.
  ///   - environment: what differs from the environment of the tests.
  package init(
    _ program: String, _ arguments: [String], input: String = "/dev/null", output: String,
    errors: String? = nil, environment: [String: String] = [:]
  ) throws {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    let adding = O_WRONLY | O_CREAT | O_APPEND
    posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, adding, 0o644)
    if let errors {
      posix_spawn_file_actions_addopen(&actions, 2, errors, adding, 0o644)
    } else {
      posix_spawn_file_actions_adddup2(&actions, 1, 2)
    }
    posix_spawn_file_actions_addclosefrom_np(&actions, 3)
    // The threads of a pool block signals; a child must not inherit that, or nobody can end it.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(
      &attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETPGROUP))
    let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    var words = ([program] + arguments).map { strdup($0) } + [nil]
    var settings = variables.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + settings { free(text) } }
    var child = pid_t()
    let failure = posix_spawnp(&child, program, &actions, &attributes, &words, &settings)
    guard failure == 0 else { throw NotStarted(program: program, code: failure) }
    pid = child
  }

  package struct NotStarted: Error, CustomStringConvertible {
    let program: String
    let code: Int32

    package var description: String {
      "\(program) cannot be started: \(String(cString: strerror(code)))"
    }
  }

  deinit { end() }

  /// Its exit code, or 128 and the number of the signal that ended it; nil while it runs.
  package var status: Int32? {
    code.withLock { code in
      if code != nil { return code }
      var status: Int32 = 0
      guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
      code = status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
      return code
    }
  }

  /// Waits until it has ended, but not longer than this. Nil when it still runs.
  @discardableResult
  package func wait(_ limit: Duration) -> Int32? {
    let deadline = ContinuousClock.now + limit
    while status == nil, .now < deadline { usleep(1000) }
    return status
  }

  /// Sends it a signal, if it has not ended.
  package func signal(_ number: Int32) {
    guard status == nil else { return }
    kill(pid, number)
  }

  /// Ends it at once, with all that it has started, and waits until it is gone.
  package func end() {
    guard status == nil else { return }
    endGroup()
    wait(.seconds(30))
  }

  /// Ends all that it has started, also after its own end.
  package func endGroup() { kill(-pid, SIGKILL) }
}
