import EventStorage
import Events
import FoundationEssentials
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Projections

/// Service nodes: what they ask for becomes an observation; what is decided of it is read from topology.
enum NodeRoutes {
  /// Bytes of a join's body.
  static let bodyBytesMax = 4096
  /// Bytes of a node's URL.
  static let urlBytesMax = 2048

  /// What a join says: `{"capacity": 4, "url": "http://10.0.0.1:9000"}`, both optional.
  private struct Join: Decodable {
    var capacity: UInt32?
    var url: String?
  }

  /// `PUT /v1/nodes/{id}`: answered when the request is durable, with the life that it begins.
  static func join(_ request: Request, _ context: RouteContext) async throws -> Response {
    let node = try node(request)
    let join = try await body(request)
    let capacity = join.capacity ?? 1
    guard 1...1_000_000 ~= capacity else { throw Problem.capacity(capacity) }
    let url = join.url ?? ""
    guard url.isEmpty || url.hasPrefix("http://") || url.hasPrefix("https://"),
      url.utf8.count <= urlBytesMax
    else { throw Problem.nodeURL(url, limit: urlBytesMax) }
    let appended = try await append(
      EventType.joinRequest(capacity: capacity, url: url), "join", of: node, request, context)
    return answer(
      node, incarnation: MembershipRequests.incarnation(at: appended.first), appended, context)
  }

  /// `DELETE /v1/nodes/{id}`: `incarnation=` says which life leaves, without it whichever is in.
  static func leave(_ request: Request, _ context: RouteContext) async throws -> Response {
    let node = try node(request)
    let parameters = RequestTarget.parameters(GatewayRoutes.segments(request).query)
    var incarnation: UInt64 = 0
    if let text = parameters.first(where: { $0.name == "incarnation" })?.value {
      guard let number = UInt64(text), number > 0 else { throw Problem.incarnation(String(text)) }
      incarnation = number
    }
    let appended = try await append(
      EventType.leaveRequest(incarnation: incarnation), "leave \(incarnation)", of: node, request,
      context)
    return answer(node, incarnation: nil, appended, context)
  }

  /// `GET /v1/nodes`: the nodes as topology has them, with the position that the answer reflects.
  static func list(_ request: Request, _ context: RouteContext) async throws -> Response {
    guard let directory = context.core.configuration.directory?() else {
      throw Problem.notFound("/v1/nodes")
    }
    var json: [UInt8] = []
    json.append(literal: "{\"position\":")
    JSONWriter.append(
      Position(log: context.core.log.identity, offsets: [directory.partition: directory.position])
        .token, to: &json)
    json.append(literal: ",\"nodes\":[")
    for (index, node) in directory.state.nodes.enumerated() {
      if index > 0 { json.append(literal: ",") }
      json.append(literal: "{\"id\":")
      JSONWriter.append(node.id, to: &json)
      JSONWriter.name("state", to: &json)
      JSONWriter.append(name(ofState: node.state), to: &json)
      JSONWriter.name("incarnation", to: &json)
      json.append(contentsOf: "\(node.incarnation)".utf8)
      JSONWriter.name("capacity", to: &json)
      json.append(decimal: Int64(node.capacity))
      JSONWriter.name("url", to: &json)
      JSONWriter.append(node.url, to: &json)
      json.append(literal: "}")
    }
    json.append(literal: "]}")
    return GatewayRoutes.json(.ok, json)
  }

  private static func name(ofState state: UInt8) -> String {
    switch state {
    case 1: "up"
    case 2: "draining"
    case 3: "failed"
    case 4: "left"
    default: "unknown"
    }
  }

  private static func append(
    _ value: [UInt8], _ operation: String, of node: NodeID, _ request: Request,
    _ context: RouteContext
  ) async throws -> Appended {
    let log = context.core.log
    let key = try PublishRequest.idempotencyKey(request.headers).map {
      MessageID.stable("node", $0, operation, node.text)
    }
    do {
      return try await log.append(
        AppendBatch(
          [NewRecord(key: EventKey.observation(node).bytes, value: value)],
          timestamp: WallClock.milliseconds(), idempotencyKey: key),
        to: partition(of: node, in: log))
    } catch {
      throw Problem.log(error)
    }
  }

  private static func partition(of node: NodeID, in log: any EventLog) -> Partition {
    Partition(.observations, Slot(node: node).partition(of: log.layout.partitions))
  }

  /// Accepted, and not a fact yet.
  private static func answer(
    _ node: NodeID, incarnation: UInt64?, _ appended: Appended, _ context: RouteContext
  ) -> Response {
    let log = context.core.log
    var json: [UInt8] = []
    json.append(literal: "{\"id\":")
    JSONWriter.append(node.text, to: &json)
    if let incarnation {
      JSONWriter.name("incarnation", to: &json)
      json.append(contentsOf: "\(incarnation)".utf8)
    }
    JSONWriter.name("position", to: &json)
    JSONWriter.append(
      Position(log: log.identity, offsets: [partition(of: node, in: log): appended.end]).token,
      to: &json)
    json.append(literal: "}")
    return GatewayRoutes.json(.accepted, json)
  }

  private static func node(_ request: Request) throws -> NodeID {
    let text = try RequestTarget.decode(
      GatewayRoutes.segments(request).path[2], what: "The node's name")
    do {
      return try NodeID(text)
    } catch {
      throw Problem.name("The node's name", error)
    }
  }

  private static func body(_ request: Request) async throws -> Join {
    let bytes = try await PublishRoutes.body(request, bytesMax: bodyBytesMax)
    if bytes.isEmpty { return Join() }
    do {
      try JSONSyntax.check(bytes[...])
    } catch {
      throw Problem.json(error)
    }
    do {
      return try JSONDecoder().decode(Join.self, from: Data(bytes))
    } catch {
      throw Problem.nodeJoin
    }
  }
}

extension Problem {
  static func capacity(_ capacity: UInt32) -> Problem {
    Problem(
      status: .badRequest, code: "capacity", title: "The capacity is out of bounds",
      detail: "capacity is \(capacity); write a relative weight from 1 to 1000000.")
  }

  static func nodeURL(_ url: String, limit: Int) -> Problem {
    Problem(
      status: .badRequest, code: "node-url", title: "The URL cannot be used",
      detail:
        "url is \"\(url.prefix(100))\"; write http:// or https:// and at most \(limit) bytes, "
        + "or leave it out for a node that fetches.")
  }

  static func incarnation(_ text: String) -> Problem {
    Problem(
      status: .badRequest, code: "incarnation", title: "The incarnation is no number",
      detail: "incarnation is \"\(text.prefix(40))\"; send the number that the join answered.")
  }

  static let nodeJoin = Problem(
    status: .badRequest, code: "node-join", title: "The body is not that of a join",
    detail:
      #"Send {"capacity":1,"url":"http://host:port"}, a whole number and a text; both may be left out."#
  )
}
