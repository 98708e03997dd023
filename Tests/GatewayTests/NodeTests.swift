import EventStorage
import Events
import Gateway
import Projections
import Testing

@Suite struct NodeTests {
  private func requests(_ log: MemoryLog) throws -> [String: MembershipRequest] {
    var all: [String: MembershipRequest] = [:]
    for partition in log.layout.partitions(of: .observations) {
      var fold = Fold<MembershipRequests>(partition)
      try fold.catchUp(with: log)
      for (node, request) in fold.state.sorted { all[node] = request }
    }
    return all
  }

  @Test func `a join is an observation, answered with the life that it begins`() async throws {
    let log = makeLog()
    try await withServer(over: log) { server in
      let body = Array(#"{"capacity":4,"url":"http://10.0.0.1:9000"}"#.utf8)
      let joined = try await server.request("PUT", "/v1/nodes/n%2F1", body: body)
      #expect(joined.status == 202)
      #expect(joined.body.contains(#""incarnation":1,"#))
      #expect(
        try requests(log) == [
          "n/1": .join(incarnation: 1, capacity: 4, url: "http://10.0.0.1:9000")
        ])
      // Asked again with the same key it is the same life, asked anew another.
      let key = ["Idempotency-Key: once"]
      let first = try await server.request("PUT", "/v1/nodes/n%2F1", headers: key)
      let again = try await server.request("PUT", "/v1/nodes/n%2F1", headers: key)
      #expect(first.body.contains(#""incarnation":2,"#))
      #expect(again.body.contains(#""incarnation":2,"#))
      let left = try await server.request("DELETE", "/v1/nodes/n%2F1?incarnation=1")
      #expect(left.status == 202)
      #expect(try requests(log) == ["n/1": .join(incarnation: 2, capacity: 1, url: "")])
      // A leave under the key of the join is no join.
      let gone = try await server.request("DELETE", "/v1/nodes/n%2F1", headers: key)
      #expect(gone.position != first.position)
      #expect(try requests(log) == ["n/1": .leave(incarnation: 2)])
      let longest = try await server.request(
        "PUT", "/v1/nodes/\(String(repeating: "n", count: 255))",
        headers: ["Idempotency-Key: \(String(repeating: "k", count: 255))"])
      #expect(longest.status == 202)
    }
  }

  @Test(
    arguments: [
      (#"{"capacity":0}"#, "capacity"), (#"{"capacity":1000001}"#, "capacity"),
      (#"{"capacity":-1}"#, "node-join"), (#"{"capacity":"4"}"#, "node-join"),
      (#"{"capacity":"#, "malformed-json"), (#"{"url":"ftp://a"}"#, "node-url"),
      ("[]", "node-join"),
      (#"{"url":"http://"# + String(repeating: "a", count: 2050) + #""}"#, "node-url"),
      (String(repeating: " ", count: 5000), "body-too-large"),
    ])
  func `what is no join is refused, and nothing is written`(body: String, code: String) async throws
  {
    let log = makeLog()
    try await withServer(over: log) { server in
      let answer = try await server.request("PUT", "/v1/nodes/a", body: Array(body.utf8))
      #expect(answer.member("type") == "urn:signalbox:problem:\(code)")
      let left = try await server.request("DELETE", "/v1/nodes/a?incarnation=x")
      #expect(left.member("type") == "urn:signalbox:problem:incarnation")
      #expect(try requests(log).isEmpty)
    }
  }

  @Test func `the nodes are listed as topology has them`() async throws {
    let log = makeLog()
    let topology = Partition(.topology, 0)
    let status = EventType.status(state: 1, incarnation: 7, capacity: 2, url: "http://ü")
    let key = EventKey.node(try NodeID("a\"b")).bytes
    _ = try await log.append(
      AppendBatch([NewRecord(key: key, value: status)], timestamp: 1), to: topology)
    var fold = Fold<Directory>(topology)
    try fold.catchUp(with: log)
    let directory = fold
    try await withServer(over: log) {
      $0.directory = { directory }
    } _: { server in
      let list = try await server.request("GET", "/v1/nodes")
      #expect(
        list.body.hasSuffix(
          #""nodes":[{"id":"a\"b","state":"up","incarnation":7,"capacity":2,"url":"http://ü"}]}"#))
      #expect(try await server.request("POST", "/v1/nodes").status == 405)
    }
  }
}
