import EventStorage
import Events
import HTTPTypes
import Hummingbird
import NIOCore

/// A request that was not done: an RFC 9457 problem document that says what, where and what to do.
struct Problem: Error {
  var status: HTTPResponse.Status
  var title: String
  var detail: String
  /// Seconds after which trying again makes sense.
  var retryAfterSeconds: Int?

  static func badRequest(_ detail: String) -> Problem {
    Problem(status: .badRequest, title: "The request cannot be understood", detail: detail)
  }

  static func notFound(_ path: String) -> Problem {
    Problem(
      status: .notFound, title: "There is nothing here",
      detail: "\(path) is no address of this service; see schemas/openapi.yaml for those it has")
  }

  static func wrongMethod(_ method: String, _ path: String, allowed: String) -> Problem {
    Problem(
      status: .methodNotAllowed, title: "The method does not fit the address",
      detail: "\(path) takes \(allowed), not \(method)")
  }

  /// The problem that a log's refusal is to a client.
  init(_ error: LogError) {
    switch error {
    case .tooLarge(let what, _, _) where what.contains("wait"):
      self.init(
        status: .serviceUnavailable, title: "Too much waits to become durable",
        detail: "\(error); try again", retryAfterSeconds: 1)
    case .tooLarge:
      self.init(
        status: .contentTooLarge, title: "The message is too large", detail: "\(error)")
    case .full:
      self.init(
        status: .insufficientStorage, title: "The log has no room", detail: "\(error)",
        retryAfterSeconds: 60)
    case .fenced:
      self.init(status: .conflict, title: "A newer writer has taken over", detail: "\(error)")
    default:
      self.init(
        status: .serviceUnavailable, title: "The log takes no messages now", detail: "\(error)",
        retryAfterSeconds: 5)
    }
  }

  init(
    status: HTTPResponse.Status, title: String, detail: String, retryAfterSeconds: Int? = nil
  ) {
    self.status = status
    self.title = title
    self.detail = detail
    self.retryAfterSeconds = retryAfterSeconds
  }

  /// A name that was refused.
  init(_ failure: NameFailure, what: String) {
    let detail =
      switch failure {
      case .empty: "\(what) is empty; give it at least one byte"
      case .tooLong(let bytes, let limit):
        "\(what) has \(bytes) bytes; the limit is \(limit)"
      case .controlCharacter: "\(what) holds a control character; leave it out"
      case .notText: "\(what) is not UTF-8"
      }
    self = .badRequest(detail)
  }

  /// The document.
  var document: [UInt8] {
    var bytes: [UInt8] = [UInt8(ascii: "{")]
    JSONText.append(name: "type", first: true, to: &bytes)
    JSONText.append(string: "about:blank".utf8, to: &bytes)
    JSONText.append(name: "title", to: &bytes)
    JSONText.append(string: title.utf8, to: &bytes)
    JSONText.append(name: "status", to: &bytes)
    bytes += "\(status.code)".utf8
    JSONText.append(name: "detail", to: &bytes)
    JSONText.append(string: detail.utf8, to: &bytes)
    bytes.append(UInt8(ascii: "}"))
    return bytes
  }

  var headers: HTTPFields {
    var headers: HTTPFields = [.contentType: "application/problem+json"]
    if let retryAfterSeconds { headers[.retryAfter] = "\(retryAfterSeconds)" }
    return headers
  }

  var response: Response {
    Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: document)))
  }
}

extension HTTPResponse.Status {
  static var insufficientStorage: HTTPResponse.Status {
    HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage")
  }
}
