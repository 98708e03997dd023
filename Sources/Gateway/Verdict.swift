import EventStorage

/// What a stream says first: whether the client missed something.
enum Verdict {
  /// What the client lacks follows, from these positions on.
  case resumed([Offset])
  /// The state follows: forget what you had, if you had any.
  case snapshot(reason: String)
  /// The token is of no use here. The state follows: forget what you had.
  case reset(reason: String)

  init(_ request: StreamRequest, _ parts: [Subscriber.Part]) {
    guard let text = request.token else {
      self = .snapshot(reason: "new")
      return
    }
    let position: Position
    do throws(TokenFailure) {
      position = try Position(token: text)
    } catch {
      switch error {
      case .unknownVersion: self = .reset(reason: "the position was made by a later version")
      case .malformed, .tooLong: self = .reset(reason: "the position is malformed")
      }
      return
    }
    guard let log = parts.first?.partition.identity, position.log == log else {
      self = .reset(reason: "the position is of another log")
      return
    }
    var offsets: [Offset] = []
    for part in parts {
      guard let offset = position[part.partition.partition] else {
        self = .reset(reason: "the position does not cover these channels")
        return
      }
      switch part.partition.reaches(back: offset) {
      case .whole: offsets.append(offset)
      case .behind:
        self = .snapshot(reason: "behind")
        return
      case .future:
        self = .reset(reason: "the position lies behind the end of the log")
        return
      }
    }
    self = .resumed(offsets)
  }

  var name: String {
    switch self {
    case .resumed: "resumed"
    case .snapshot: "snapshot"
    case .reset: "reset"
    }
  }

  func data(position: String) -> String {
    switch self {
    case .resumed: #"{"reason":"resumed","position":"\#(position)"}"#
    case .snapshot(let reason), .reset(let reason):
      #"{"reason":"\#(reason)","position":"\#(position)"}"#
    }
  }

  static func position(_ token: String) -> String { #"{"position":"\#(token)"}"# }
}
