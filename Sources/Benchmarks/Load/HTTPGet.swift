import Glibc

/// One GET on a connection of its own, for questions that are not what is measured.
///
/// - Returns: the status, or nil when nobody listens or the answer ends early.
func httpGet(_ path: String, port: UInt16) -> Int? {
  guard let socket = try? Socket(connectedTo: port) else { return nil }
  defer { socket.close() }
  let request = "GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
  guard (try? socket.sendAll(Array(request.utf8))) != nil else { return nil }
  var head: [UInt8] = []
  let deadline = wallSeconds() + 5
  while head.count < 12 {
    var poller = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
    guard wallSeconds() < deadline, poll(&poller, 1, 1000) >= 0 else { return nil }
    var chunk = [UInt8](repeating: 0, count: 512)
    let count = recv(socket.descriptor, &chunk, chunk.count, 0)
    if count < 0, errno == EAGAIN { continue }
    guard count > 0 else { return nil }
    head += chunk[..<count]
  }
  return Int(String(decoding: head[9..<12], as: UTF8.self))
}
