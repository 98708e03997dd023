import Foundation
import Glibc

/// The little that the benchmark asks of JetStream's own API.
struct JetStream {
  let port: UInt16

  /// Makes the stream that takes every `bench.…` subject, on disk.
  func makeStream() throws {
    let body = #"{"name":"bench","subjects":["bench.>"],"storage":"file","num_replicas":1}"#
    let answer = try request("$JS.API.STREAM.CREATE.bench", body)
    guard answer.contains(#""did_create":true"#) else {
      throw BenchmarkFailure("JetStream made no stream: \(answer.prefix(300))")
    }
  }

  private func request(_ subject: String, _ body: String) throws -> String {
    let socket = try Socket(connectedTo: port)
    defer { socket.close() }
    try socket.sendAll(
      Array(
        ("CONNECT {\"verbose\":false,\"pedantic\":false}\r\nSUB _INBOX.api 1\r\n"
          + "PUB \(subject) _INBOX.api \(body.utf8.count)\r\n\(body)\r\n").utf8))
    var text = ""
    let deadline = wallSeconds() + 10
    while wallSeconds() < deadline {
      var poller = pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0)
      poll(&poller, 1, 100)
      var chunk = [UInt8](repeating: 0, count: 8192)
      let count = recv(socket.descriptor, &chunk, chunk.count, 0)
      if count > 0 { text += String(decoding: chunk[..<count], as: UTF8.self) }
      if let start = text.range(of: "MSG _INBOX.api"), text[start.upperBound...].hasSuffix("}\r\n")
      {
        return String(text[start.upperBound...])
      }
    }
    throw BenchmarkFailure("JetStream does not answer: \(text.prefix(300))")
  }
}
