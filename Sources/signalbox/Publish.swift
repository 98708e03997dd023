import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

struct Publish: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Publish one message to a channel of a running instance.",
    discussion: "Without DATA the message is read from standard input.")

  @Argument(help: "The channel.")
  var channel: String
  @Argument(help: "The message.")
  var data: String?
  @Option(help: "The message's key: it replaces the channel's last message with this key.")
  var key: String?
  @Option(help: "Seconds until the message expires.")
  var ttl: Int?
  @Option(help: "Its media type (default: application/json when it is JSON, text/plain otherwise).")
  var contentType: String?
  @Option(help: "Publishing again with the same key adds nothing.")
  var idempotencyKey: String?
  @Flag(help: "Delete the message with --key instead of publishing one.")
  var delete = false
  @OptionGroup var server: ServerOptions
  @Flag(help: "Print the server's whole answer as JSON.")
  var json = false

  func run() async throws {
    var path = "/v1/channels/\(ServerOptions.escaped(channel))/messages"
    var request: HTTPClientRequest
    if delete {
      guard let key else { throw Failure("--delete needs --key: which message is to go?") }
      path += "/\(ServerOptions.escaped(key))"
      request = try server.request(path)
      request.method = .DELETE
    } else {
      let body = try data.map { Array($0.utf8) } ?? standardInput()
      request = try server.request(path)
      request.method = .POST
      request.body = .bytes(ByteBuffer(bytes: body))
      request.headers.add(name: "Content-Type", value: contentType ?? Publish.mediaType(of: body))
      if let key { request.headers.add(name: "Signalbox-Key", value: key) }
      if let ttl { request.headers.add(name: "Signalbox-TTL", value: "\(ttl)") }
      if let idempotencyKey {
        request.headers.add(name: "Idempotency-Key", value: idempotencyKey)
      }
    }
    let answer = try await server.answer(to: request)
    printLine(json ? answer.text : answer["position"] ?? answer.text)
  }

  private func standardInput() throws -> [UInt8] {
    Array(try FileHandle.standardInput.readToEnd() ?? Data())
  }

  private static func mediaType(of body: [UInt8]) -> String {
    let isJSON =
      (try? JSONSerialization.jsonObject(with: Data(body), options: .fragmentsAllowed)) != nil
    return isJSON ? "application/json" : "text/plain; charset=utf-8"
  }
}
