import Foundation
import Glibc
import Synchronization

/// Event streams with nothing around them, on a thread of this process: epoll, and one `send` to each subscriber for all events
/// that came together. The floor under a delivery.
final class BareFanOut: Sendable {
  let port: UInt16
  private let listener: Socket
  private let shared = Mutex(Shared())

  private struct Shared {
    var processorSeconds = 0.0
    var isEnding = false
    var hasEnded = false
  }

  init() throws {
    (listener, port) = try Socket.listening()
    let thread = Thread { [self] in
      try? serve()
      shared.withLock { $0.hasEnded = true }
    }
    thread.start()
  }

  /// Processor seconds that its thread has had.
  var processorSeconds: Double { shared.withLock { $0.processorSeconds } }

  /// Ends the thread and waits for it.
  func end() {
    shared.withLock { $0.isEnding = true }
    while !shared.withLock({ $0.hasEnded }) { usleep(1000) }
  }

  private func serve() throws {
    let poller = try Poller()
    try poller.add(listener, index: 0)
    var connections: [Socket] = [listener]
    var subscribers: [Int] = []
    defer { for socket in connections { socket.close() } }
    var scratch = [UInt8](repeating: 0, count: 64 << 10)
    while !shared.withLock({ $0.isEnding }) {
      var frames: [UInt8] = []
      var publishers: [Int] = []
      try poller.wait(milliseconds: 100) { index in
        if index == 0 {
          while let socket = listener.accepted() {
            connections.append(socket)
            try poller.add(socket, index: connections.count - 1)
          }
          return
        }
        let count = recv(connections[index].descriptor, &scratch, scratch.count, 0)
        guard count > 0 else { return poller.remove(connections[index]) }
        if scratch[0] == UInt8(ascii: "G") {
          subscribers.append(index)
          try connections[index].sendAll(BareFanOut.opening)
          return
        }
        let body = scratch.withUnsafeBytes {
          UnsafeRawBufferPointer(rebasing: $0[..<count]).firstEnd(of: "\r\n\r\n")
        }
        frames += BareFanOut.before + scratch[(body ?? 0)..<count] + BareFanOut.after
        publishers.append(index)
      }
      if !frames.isEmpty {
        for subscriber in subscribers { try? connections[subscriber].sendAll(frames) }
        for publisher in publishers { try? connections[publisher].sendAll(BareFanOut.answer) }
      }
      shared.withLock { $0.processorSeconds = threadSeconds() }
    }
  }

  private static let opening = Array(
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: live\ndata: {}\n\n".utf8)
  private static let answer = Array("HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n".utf8)
  /// As long as a token of one partition is.
  private static let before = Array("id: AQECAwQFBgcIAgCAgAE\ndata: ".utf8)
  private static let after = Array("\n\n".utf8)
}

extension Socket {
  /// Listens on a free port of this machine.
  static func listening() throws -> (Socket, UInt16) {
    let listener = Socket(
      descriptor: socket(
        AF_INET,
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
          | Int32(SOCK_CLOEXEC.rawValue), 0))
    let port = try listener.bindToFreePort()
    guard listen(listener.descriptor, 4096) == 0 else {
      throw BenchmarkFailure.system("listen", errno)
    }
    return (listener, port)
  }

  /// The next connection that waits.
  func accepted() -> Socket? {
    let descriptor = accept(self.descriptor, nil, nil)
    guard descriptor >= 0 else { return nil }
    _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    var yes: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(4))
    return Socket(descriptor: descriptor)
  }
}
