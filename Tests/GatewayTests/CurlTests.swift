import Foundation
import Gateway
import Testing

/// The API as somebody with curl meets it.
@Suite(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/curl"), "needs curl"))
struct CurlTests {
  @Test func `curl publishes, reads, subscribes and deletes`() async throws {
    try await withServer(over: makeLog()) { server in
      let base = "http://127.0.0.1:\(server.port)/v1/channels/news"
      let published = try await curl([
        "-d", "{\"a\":1}", "-H", "Content-Type: application/json", "-H", "Signalbox-Key: k",
        base + "/messages",
      ])
      #expect(published.hasPrefix("{\"id\":\""))
      let position = published.split(separator: "\"position\":\"")[1].prefix { $0 != "\"" }
      let read = try await curl([base + "?min=\(position)"])
      #expect(read.contains("\"contentType\":\"application/json\",\"data\":{\"a\":1}}]}"))
      // Two requests on one connection, the second a stream, which curl leaves after a while.
      let stream = try await curl([
        "-N", "--max-time", "1", "http://127.0.0.1:\(server.port)/healthz", base + "/events",
      ])
      #expect(stream.contains("{\"alive\":true}retry: "))
      #expect(stream.contains("data: {\"a\":1}\n\nid: \(position)\nevent: live\n"))
      let deleted = try await curl(["-X", "DELETE", base + "/messages/k"])
      #expect(deleted.hasPrefix("{\"deleted\":true,\"channel\":\"news\",\"key\":\"k\","))
    }
  }

  private func curl(_ arguments: [String]) async throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
    process.arguments = ["-s"] + arguments
    let output = Pipe()
    process.standardOutput = output
    try await withCheckedThrowingContinuation { continuation in
      process.terminationHandler = { _ in continuation.resume() }
      do { try process.run() } catch { continuation.resume(throwing: error) }
    }
    return String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
  }
}
