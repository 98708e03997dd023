import CLinux
import Glibc

/// epoll: which connections have something to read.
final class Poller {
  private let descriptor: Int32
  private var events = [epoll_event](repeating: epoll_event(), count: 1024)

  init() throws {
    descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
    guard descriptor >= 0 else { throw BenchmarkFailure.system("epoll_create1", errno) }
  }

  deinit { close(descriptor) }

  /// Watches a connection; `index` comes back when there is something to read.
  func add(_ socket: Socket, index: Int) throws {
    var event = epoll_event()
    event.events = EPOLLIN.rawValue
    event.data.u64 = UInt64(index)
    guard epoll_ctl(descriptor, EPOLL_CTL_ADD, socket.descriptor, &event) == 0 else {
      throw BenchmarkFailure.system("epoll_ctl", errno)
    }
  }

  /// Watches it no longer.
  func remove(_ socket: Socket) {
    _ = epoll_ctl(descriptor, EPOLL_CTL_DEL, socket.descriptor, nil)
  }

  /// Waits for at most `milliseconds` and calls `body` with the index of every readable connection.
  func wait(milliseconds: Int32, _ body: (Int) throws -> Void) throws {
    let count = epoll_wait(descriptor, &events, Int32(events.count), milliseconds)
    guard count >= 0 || errno == EINTR else { throw BenchmarkFailure.system("epoll_wait", errno) }
    for index in 0..<max(0, Int(count)) { try body(Int(events[index].data.u64)) }
  }
}
