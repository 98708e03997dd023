import Glibc

/// A TCP connection to this machine, non-blocking once it is connected.
struct Socket {
  let descriptor: Int32

  init(descriptor: Int32) { self.descriptor = descriptor }

  init(connectedTo port: UInt16) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw BenchmarkFailure.system("socket", errno) }
    var address = Socket.loopback(port)
    let code = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard code == 0 else {
      let failure = BenchmarkFailure.system("connect to port \(port)", errno)
      close()
      throw failure
    }
    var yes: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(4))
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
  }

  func close() { _ = Glibc.close(descriptor) }

  /// Sends all of it. A load keeps so little in flight that the socket has room; where it has not, waits.
  func sendAll(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        let rest = UnsafeRawBufferPointer(rebasing: buffer[sent...])
        return send(descriptor, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
      }
      if count > 0 {
        sent += count
      } else if errno == EAGAIN {
        var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&poller, 1, 1000)
      } else if errno != EINTR {
        throw BenchmarkFailure.system("send", errno)
      }
    }
  }

  /// A port that nobody listens on now.
  static func freePort() throws -> UInt16 {
    let listener = Socket(
      descriptor: socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
    defer { listener.close() }
    return try listener.bindToFreePort()
  }

  /// Takes a free port of this machine.
  func bindToFreePort() throws -> UInt16 {
    var address = Socket.loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
      }
    }
    guard code == 0 else { throw BenchmarkFailure.system("bind", errno) }
    return UInt16(bigEndian: address.sin_port)
  }

  private static func loopback(_ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
  }
}

/// Lets this process and its children hold this many files and connections, as far as the system allows.
func raiseDescriptorLimit(to wanted: UInt64) throws {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  if limit.rlim_cur >= wanted { return }
  limit.rlim_cur = rlim_t(wanted)
  limit.rlim_max = max(limit.rlim_max, rlim_t(wanted))
  guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
    throw BenchmarkFailure.system("raise the limit of open files to \(wanted) (ulimit -n)", errno)
  }
}
