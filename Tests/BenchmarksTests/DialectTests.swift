import Testing

@testable import Benchmarks

@Suite struct DialectTests {
  private func reply(_ dialect: some PublishDialect, _ text: String) -> Reply {
    Array(text.utf8).withUnsafeBytes { dialect.reply(in: $0) }
  }

  @Test func `an HTTP answer is taken whole, wherever it was cut`() {
    let answer = "HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\n{ }"
    let length = answer.utf8.count
    for count in 0..<length {
      #expect(
        reply(HTTPDialect(), String(decoding: answer.utf8.prefix(count), as: UTF8.self))
          == .incomplete)
    }
    #expect(reply(HTTPDialect(), answer) == .acknowledged(length: length))
    #expect(reply(HTTPDialect(), answer + "HTTP") == .acknowledged(length: length))
  }

  @Test func `an HTTP refusal is no acknowledgement`() {
    guard case .refused = reply(HTTPDialect(), "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n")
    else {
      Issue.record("503 was taken for an acknowledgement")
      return
    }
  }

  @Test func `an acknowledgement of JetStream is taken whole, wherever it was cut`() {
    let answer = "MSG _INBOX.7 1 26\r\n{\"stream\":\"bench\",\"seq\":1}\r\n"
    for count in 0..<answer.utf8.count {
      #expect(
        reply(NATSDialect(), String(decoding: answer.utf8.prefix(count), as: UTF8.self))
          == .incomplete)
    }
    #expect(reply(NATSDialect(), answer) == .acknowledged(length: answer.utf8.count))
  }

  @Test func `an error of JetStream is no acknowledgement`() {
    let body = #"{"error":{"code":503}}"#
    guard case .refused = reply(NATSDialect(), "MSG _INBOX.7 1 \(body.count)\r\n\(body)\r\n") else {
      Issue.record("an error was taken for an acknowledgement")
      return
    }
  }

  @Test func `a ping of NATS is answered`() {
    #expect(reply(NATSDialect(), "PING\r\n") == .demand(Array("PONG\r\n".utf8), length: 6))
    #expect(reply(NATSDialect(), "PONG\r\n") == .ready(length: 6))
  }
}
