import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOFoundationCompat
import NIOHTTP1
import Synchronization

/// Which running instance a command talks to.
struct ServerOptions: ParsableArguments {
  @Option(help: "The address of the instance.")
  var url = "http://127.0.0.1:8080"

  static func escaped(_ name: String) -> String {
    var allowed = CharacterSet.alphanumerics
    allowed.insert(charactersIn: "-._~")
    return name.addingPercentEncoding(withAllowedCharacters: allowed) ?? name
  }

  func request(_ path: String) throws -> HTTPClientRequest {
    guard let base = URL(string: url), let scheme = base.scheme,
      ["http", "https"].contains(scheme),
      base.host != nil
    else { throw Failure("“\(url)” is no address; write --url http://HOST:PORT") }
    let trimmed = url.hasSuffix("/") ? String(url.dropLast()) : url
    return HTTPClientRequest(url: trimmed + path)
  }

  /// The answer to a request that is answered at once.
  func answer(to request: HTTPClientRequest) async throws -> Answer {
    let response = try await send(request, deadline: .now() + .seconds(30))
    let body = try await response.body.collect(upTo: 64 << 20)
    let answer = Answer(text: String(buffer: body))
    guard (200..<300).contains(response.status.code) else {
      throw answer.failure(response.status.code)
    }
    return answer
  }

  /// - Parameter silence: seconds after which a connection on which nothing comes is given up; 0 never.
  /// - Throws: `Unreachable` when nobody answers.
  func send(
    _ request: HTTPClientRequest, deadline: NIODeadline, silence: Int = 0
  ) async throws -> HTTPClientResponse {
    do {
      let client = ServerOptions.clients.withLock { clients in
        let client = clients[silence] ?? ServerOptions.client(silence: silence)
        clients[silence] = client
        return client
      }
      return try await client.execute(request, deadline: deadline)
    } catch {
      throw Unreachable(
        description: "no answer from \(url): is `signalbox serve` running there? (\(error))")
    }
  }

  /// They live as long as the process.
  private static let clients = Mutex<[Int: HTTPClient]>([:])

  /// Says at once that nobody listens, where the shared client tries on until the deadline.
  private static func client(silence: Int) -> HTTPClient {
    var configuration = HTTPClient.Configuration()
    configuration.connectionPool.retryConnectionEstablishment = false
    configuration.timeout.connect = .seconds(10)
    if silence > 0 { configuration.timeout.read = .seconds(Int64(silence)) }
    return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
  }
}

/// Nobody answered: trying again later may help.
struct Unreachable: Error, CustomStringConvertible {
  let description: String
}

/// What the server said.
struct Answer {
  let text: String

  /// A text field of the JSON object.
  subscript(field: String) -> String? {
    let object = try? JSONSerialization.jsonObject(with: Data(text.utf8))
    return (object as? [String: Any])?[field] as? String
  }

  func failure(_ status: UInt) -> Failure {
    let what = [self["title"], self["detail"]].compactMap(\.self).joined(separator: ": ")
    return Failure("the server answered \(status): \(what.isEmpty ? text : what)")
  }
}
