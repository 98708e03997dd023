import Events

/// What a client asks to follow.
struct StreamRequest {
  let channels: [ChannelName]
  let shape: FrameShape
  /// Where it was, from `Last-Event-ID` or `lastEventId=`; the header wins, since on a reconnect the query is old.
  let token: String?

  /// Whether a target names a stream.
  static func isStream(_ target: some StringProtocol) -> Bool {
    let path = target.prefix { $0 != "?" }
    return path == "/v1/events" || (path.hasPrefix("/v1/channels/") && path.hasSuffix("/events"))
  }

  init(_ target: RequestTarget, lastEventID: String?, limits: GatewayLimits) throws(Problem) {
    let names: [String]
    if target.path.count == 4 {
      names = [target.path[2]]
      switch target["envelope"] {
      case nil, "false"?: shape = .payload
      case "true"?: shape = .envelope
      case let other?: throw .badRequest("envelope is “\(other)”; it must be true or false")
      }
    } else {
      names = target.query.filter { $0.name == "channel" }.map(\.value)
      shape = .shared
    }
    guard !names.isEmpty else {
      throw .badRequest("no channel is named; write /v1/events?channel=A&channel=B")
    }
    guard names.count <= limits.channelsPerStreamMax else {
      throw .badRequest(
        "\(names.count) channels; a stream takes \(limits.channelsPerStreamMax) (channelsPerStreamMax)"
      )
    }
    var channels: [ChannelName] = []
    for name in names {
      do throws(NameFailure) {
        let channel = try ChannelName(name)
        if !channels.contains(channel) { channels.append(channel) }
      } catch { throw Problem(error, what: "the channel's name") }
    }
    self.channels = channels
    let token = lastEventID ?? target["lastEventId"]
    self.token = token?.isEmpty == true ? nil : token
  }
}
