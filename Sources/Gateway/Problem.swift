import EventStorage
import Events
import HTTPTypes

/// Why a request was refused: a problem document (RFC 9457) that says what, where, and what to do.
package struct Problem: Error, Equatable {
  var status: HTTPResponse.Status
  /// The last part of the document's `type`.
  var code: String
  var title: String
  var detail: String
  /// Further members, already JSON.
  var members: [String: String] = [:]
  /// Seconds after which trying again may help.
  var retryAfterSeconds: Int?
  /// What a 405 allows.
  var allow: String?

  static let contentType = "application/problem+json"

  package var json: [UInt8] {
    var json: [UInt8] = []
    json.append(literal: "{\"type\":")
    JSONWriter.append("urn:signalbox:problem:\(code)", to: &json)
    JSONWriter.name("title", to: &json)
    JSONWriter.append(title, to: &json)
    JSONWriter.name("status", to: &json)
    json.append(decimal: Int64(status.code))
    JSONWriter.name("detail", to: &json)
    JSONWriter.append(detail, to: &json)
    for (name, value) in members.sorted(by: { $0.key < $1.key }) {
      json.append(literal: ",")
      JSONWriter.append(name, to: &json)
      json.append(literal: ":")
      json.append(contentsOf: value.utf8)
    }
    json.append(literal: "}")
    return json
  }
}

extension Problem {
  private static func bad(_ code: String, _ title: String, _ detail: String) -> Problem {
    Problem(status: .badRequest, code: code, title: title, detail: detail)
  }

  // Names and targets.

  static func name(_ what: String, _ failure: NameFailure) -> Problem {
    switch failure {
    case .empty:
      bad("name-empty", "A name is empty", "\(what) is empty; give it at least one character.")
    case .tooLong(let bytes, let limit):
      bad(
        "name-too-long", "A name is too long",
        "\(what) has \(bytes) bytes of UTF-8; at most \(limit) are allowed.")
    case .controlCharacter:
      bad(
        "name-control-character", "A name holds a control character",
        "\(what) holds a control character (U+0000 to U+001F or U+007F to U+009F); leave it out.")
    case .notText:
      notUTF8(what)
    }
  }

  static func percentEncoding(_ what: String) -> Problem {
    bad(
      "percent-encoding", "A percent sign is not followed by two hexadecimal digits",
      "\(what) is not percent-encoded correctly; write a percent sign itself as %25.")
  }

  static func notUTF8(_ what: String) -> Problem {
    bad("not-utf-8", "Text is not UTF-8", "\(what) is not valid UTF-8; encode it as UTF-8.")
  }

  static let noChannels = bad(
    "no-channels", "The stream has no channels",
    "Name at least one channel: /v1/events?channel=a&channel=b.")

  static func tooManyChannels(_ count: Int, limit: Int) -> Problem {
    bad(
      "too-many-channels", "The stream has too many channels",
      "The stream names \(count) channels; at most \(limit) are allowed. Open a second stream.")
  }

  static func envelope(_ text: String) -> Problem {
    bad(
      "envelope", "The parameter envelope is neither true nor false",
      "envelope is “\(text)”; write envelope=true, or leave it out.")
  }

  static func notFound(_ path: String) -> Problem {
    Problem(
      status: .notFound, code: "not-found", title: "There is nothing here",
      detail: "\(path.prefix(200)) is not a path of this service; see the table of its API.")
  }

  static func method(_ method: String, allow: String) -> Problem {
    Problem(
      status: .methodNotAllowed, code: "method-not-allowed", title: "The method does not fit",
      detail: "\(method.prefix(40)) is not possible here; use \(allow).", allow: allow)
  }

  // Publishing.

  static func bodyTooLarge(limit: Int) -> Problem {
    Problem(
      status: .contentTooLarge, code: "body-too-large", title: "The body is too large",
      detail: "At most \(limit) bytes are allowed; publish a smaller payload.",
      members: ["limit": "\(limit)"])
  }

  static func timeToLive(_ text: String, limit: Int64) -> Problem {
    bad(
      "time-to-live", "Signalbox-TTL is not a number of seconds",
      "Signalbox-TTL is \"\(text.prefix(40))\"; write whole seconds from 1 to \(limit).")
  }

  static func json(_ failure: JSONFailure) -> Problem {
    var problem = bad(
      "malformed-json", "The body is not JSON",
      "At byte \(failure.offset): \(failure.reason). Correct it, or send another Content-Type.")
    problem.members["offset"] = "\(failure.offset)"
    return problem
  }

  static func headerTooLong(_ name: String, bytes: Int, limit: Int) -> Problem {
    bad(
      "header-value-too-long", "The value of a header is too long",
      "\(name) has \(bytes) bytes; at most \(limit) are allowed.")
  }

  static func headerEmpty(_ name: String) -> Problem {
    bad(
      "header-value-empty", "The value of a header is empty",
      "\(name) is empty; leave the header out, or give it a value.")
  }

  // Positions.

  static func position(_ failure: TokenFailure) -> Problem {
    let reason =
      switch failure {
      case .tooLong: "longer than \(Position.tokenBytesMax) characters"
      case .malformed: "not a position as this service writes them"
      case .unknownVersion(let version): "a position of version \(version), which is newer"
      }
    return bad(
      "malformed-position", "min is not a position",
      "min is \(reason); send the position that a write or a read answered, unchanged.")
  }

  static func otherLog(_ log: LogIdentity, this: LogIdentity) -> Problem {
    Problem(
      status: .conflict, code: "other-log", title: "The position belongs to another log",
      detail: "min is a position in log \(log), but this service reads log \(this); "
        + "read without min.")
  }

  static func notReached(_ min: String, reached: String, seconds: Double) -> Problem {
    Problem(
      status: .gatewayTimeout, code: "position-not-reached",
      title: "The position was not reached in time",
      detail: "After \(seconds) s the channel reflects \(reached), not yet \(min); try again.",
      members: ["position": "\"\(reached)\""])
  }

  static func wait(_ text: String, limit: Double) -> Problem {
    bad(
      "wait", "wait is not a number of seconds",
      "wait is \"\(text.prefix(40))\"; write seconds from 0 to \(limit), such as 0.5.")
  }

  // The log and the server.

  static func log(_ error: LogError) -> Problem {
    switch error {
    case .full:
      Problem(
        status: .init(code: 507, reasonPhrase: "Insufficient Storage"), code: "log-full",
        title: "The log has no room", detail: "This is not acknowledged: \(error). \(Problem.again)"
      )
    case .tooLarge(let what, _, let limit) where limit == LogLimits.pendingBytesMax:
      Problem(
        status: .serviceUnavailable, code: "log-busy", title: "The log cannot keep up",
        detail: "Nothing was published: \(what); try again later.", retryAfterSeconds: 1)
    case .tooLarge(let what, let size, let limit):
      Problem(
        status: .contentTooLarge, code: "record-too-large", title: "The record is too large",
        detail: "\(what): \(size), but the limit is \(limit). Nothing was published.")
    case .unavailable:
      Problem(
        status: .serviceUnavailable, code: "log-unavailable", title: "The log cannot be reached",
        detail: "This is not acknowledged: \(error).", retryAfterSeconds: 2)
    case .outcomeUnknown:
      Problem(
        status: .serviceUnavailable, code: "outcome-unknown",
        title: "Whether this was published is not known",
        detail: "This is not acknowledged: \(error). \(Problem.again)", retryAfterSeconds: 2)
    default:
      Problem(
        status: .serviceUnavailable, code: "log-stopped", title: "The log has stopped",
        detail: "This is not acknowledged: \(error). \(Problem.again)", retryAfterSeconds: 5)
    }
  }

  /// What was written when the disk failed may turn out to be there.
  private static let again =
    "Then send it again with the same Idempotency-Key: it is not there twice."

  static func starting(_ status: ChannelPartition.Status) -> Problem {
    Problem(
      status: .serviceUnavailable, code: "starting", title: "The log is still being read",
      detail: "The service has read up to \(status.position) of \(status.end); try again, or ask "
        + "another instance.", retryAfterSeconds: 1)
  }

  static let tooManyConnections = Problem(
    status: .serviceUnavailable, code: "too-many-connections",
    title: "There are too many connections",
    detail: "The service serves as many connections as it may; try again later.",
    retryAfterSeconds: 5)

  static let draining = Problem(
    status: .serviceUnavailable, code: "draining", title: "The service is shutting down",
    detail: "Connect again; another instance will answer.", retryAfterSeconds: 1)

  static func headTooLarge(_ limits: GatewayLimits) -> Problem {
    Problem(
      status: .requestHeaderFieldsTooLarge, code: "head-too-large",
      title: "The head of the request is too large",
      detail: "Request line and headers may have \(limits.headerBytesMax) bytes together, in "
        + "\(limits.headerFieldsMax) fields; send less.",
      members: ["limit": "\(limits.headerBytesMax)", "fields": "\(limits.headerFieldsMax)"])
  }

  static let headTimeout = Problem(
    status: .requestTimeout, code: "head-timeout", title: "The request did not arrive in time",
    detail: "The head of the request was not complete in time; send it without pauses.")

  static let bodyTimeout = Problem(
    status: .requestTimeout, code: "body-timeout", title: "The body did not arrive in time",
    detail: "Nothing was published: the body was not complete in time; send it without pauses.")

  static let malformedRequest = bad(
    "malformed-request", "The request is not HTTP/1.1",
    "The request line or a header is malformed; see RFC 9112.")

  static let unexpected = Problem(
    status: .internalServerError, code: "unexpected", title: "Something went wrong here",
    detail: "The service failed to answer; this is a defect. Try again, and report it.")
}
