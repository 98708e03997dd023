import EventStorage
import Events
import HTTPTypes
import Hummingbird
import HummingbirdCore

/// Reading the present state.
enum ReadRoutes {
  /// `GET /v1/channels/{channel}`: `min=` is a position that the answer must reflect, `wait=` how long that may take.
  static func channel(_ request: Request, _ context: RouteContext) async throws -> Response {
    let (path, query) = GatewayRoutes.segments(request)
    let channel = try RequestTarget.channel(path[2])
    let partition = context.core.partition(of: channel)
    let parameters = RequestTarget.parameters(query)
    try await partition.serve(within: context.core.limits.minWaitSeconds)
    if let text = parameters.first(where: { $0.name == "min" })?.value {
      let wait = parameters.first { $0.name == "wait" }?.value
      try await reach(text, wait: wait, in: partition, context)
    }
    let (messages, position) = partition.messages(in: channel)
    var json: [UInt8] = []
    json.append(literal: "{\"channel\":")
    JSONWriter.append(channel.text, to: &json)
    JSONWriter.name("position", to: &json)
    JSONWriter.append(partition.token(position), to: &json)
    if let seconds = partition.status.staleSeconds {
      json.append(literal: ",\"staleSeconds\":")
      json.append(decimal: seconds)
    }
    json.append(literal: ",\"messages\":[")
    for (index, message) in messages.enumerated() {
      if index > 0 { json.append(literal: ",") }
      MessageJSON.append(message, in: channel, to: &json)
    }
    json.append(literal: "]}")
    return GatewayRoutes.json(.ok, json)
  }

  private static func reach(
    _ text: Substring, wait: Substring?, in partition: ChannelPartition, _ context: RouteContext
  ) async throws {
    let limits = context.core.limits
    let token = try RequestTarget.decode(text, what: "min")
    let position: Position
    do throws(TokenFailure) {
      position = try Position(token: token)
    } catch {
      throw Problem.position(error)
    }
    guard position.log == partition.log else {
      throw Problem.otherLog(position.log, this: partition.log)
    }
    var seconds = limits.minWaitSeconds
    if let wait {
      guard let asked = Double(wait), asked >= 0, asked <= limits.minWaitSeconds else {
        throw Problem.wait(String(wait), limit: limits.minWaitSeconds)
      }
      seconds = asked
    }
    guard let offset = position[partition.partition] else { return }
    if !(await partition.reach(offset, within: seconds, on: context.channel.eventLoop)) {
      let reached = partition.token(partition.status.position)
      throw Problem.notReached(token, reached: reached, seconds: seconds)
    }
  }
}

/// Whether the service is alive, and whether it should be asked.
enum HealthRoutes {
  /// `GET /healthz`
  static func health(_ request: Request, _ context: RouteContext) async throws -> Response {
    GatewayRoutes.json(.ok, Array("{\"alive\":true}".utf8))
  }

  /// `GET /readyz`: 503 while a fold is behind, after the log has stopped, and while the service drains.
  static func ready(_ request: Request, _ context: RouteContext) async throws -> Response {
    let isReady = context.core.isReady
    var json: [UInt8] = []
    json.append(literal: "{\"ready\":")
    json.append(contentsOf: (isReady ? "true" : "false").utf8)
    json.append(literal: ",\"connections\":")
    json.append(decimal: Int64(context.core.connections.value))
    if let leads = context.core.configuration.leads {
      json.append(literal: ",\"leads\":")
      json.append(contentsOf: (leads() ? "true" : "false").utf8)
    }
    if let failure = context.core.configuration.maintenanceFailure?() {
      json.append(literal: ",\"maintenance\":")
      JSONWriter.append(failure, to: &json)
    }
    json.append(literal: ",\"partitions\":[")
    for (index, partition) in context.core.partitions.enumerated() {
      if index > 0 { json.append(literal: ",") }
      let status = partition.status
      json.append(literal: "{\"partition\":")
      JSONWriter.append(partition.partition.description, to: &json)
      json.append(literal: ",\"position\":")
      json.append(decimal: status.position.rawValue)
      json.append(literal: ",\"end\":")
      json.append(decimal: status.end.rawValue)
      switch status.phase {
      case .idle: json.append(literal: ",\"state\":\"idle\"")
      case .starting: json.append(literal: ",\"state\":\"starting\"")
      case .serving: break
      }
      if status.phase != .idle, let seconds = status.staleSeconds {
        json.append(literal: ",\"staleSeconds\":")
        json.append(decimal: seconds)
      }
      if let failure = status.failure {
        json.append(literal: ",\"error\":")
        JSONWriter.append(failure.description, to: &json)
      }
      json.append(literal: "}")
    }
    json.append(literal: "]}")
    var response = GatewayRoutes.json(isReady ? .ok : .serviceUnavailable, json)
    if !isReady { response.headers[.retryAfter] = "1" }
    return response
  }
}
