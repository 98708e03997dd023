import EventStorage
import Events
import Gateway
import Testing

/// Law 26 as a whole: snapshot and changes give the state, and every id delivered resumes exactly.
@Suite struct SubscriptionLawTests {
  /// Applies a stream to a client's state, as a page in a browser would.
  static func state(
    after blocks: [StreamBlock], from start: [String: String] = [:]
  ) -> [String: String] {
    var state = start
    for block in blocks where block.isMessage {
      switch block.event {
      case "snapshot", "reset": state = [:]
      case "message":
        let (key, value) = parts(block.text)
        state[key] = value
      case "delete": state[block.text] = nil
      default: break
      }
    }
    return state
  }

  /// Payloads in these tests are `key=value`.
  static func parts(_ text: String) -> (key: String, value: String) {
    let parts = text.split(separator: "=", maxSplits: 1)
    return (String(parts[0]), String(parts[1]))
  }

  /// Appends batches of several records, with deletions and short lives, straight to the log.
  static func write(_ count: Int, seed: UInt64, to log: MemoryLog) async throws {
    var random = seed
    func next(_ bound: UInt64) -> UInt64 {
      random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (random >> 33) % bound
    }
    var time: Int64 = 1_000_000
    for number in 0..<count {
      var records: [NewRecord] = []
      for part in 0...next(4) {
        let key = "k\(next(6))"
        let name = EventKey.message(
          try ChannelName(next(4) == 0 ? "other" : "c"), try MessageKey(key)
        ).bytes
        if next(5) == 0 {
          records.append(NewRecord(key: name, value: nil))
        } else {
          let lifetime = next(3) == 0 ? Int64(next(40)) + 1 : 0
          let message = Message(
            id: "\(number).\(part)", contentType: "text/plain",
            data: Array("\(key)=\(number).\(part)".utf8),
            expiresAt: lifetime == 0 ? 0 : time + lifetime)
          records.append(NewRecord(key: name, value: message.encoded))
        }
      }
      _ = try await log.append(
        AppendBatch(records, timestamp: time), to: Partition(.messages, 0))
      time += Int64(next(15))
    }
  }

  @Test(arguments: 1...6)
  func `from every id the rest is exactly what followed, and the state comes out the same`(
    seed: UInt64
  ) async throws {
    let log = makeLog()
    try await withServer(over: log) { server in
      let witness = try await server.stream("/v1/channels/c/events")
      try await witness.waitUntilLive()
      try await SubscriptionLawTests.write(60, seed: seed, to: log)
      let position = try await server.publish("c", "end=1", key: "end").position
      try await witness.connection.wait(for: "end=1\n\n")
      let blocks = witness.blocks.filter { $0.event != "heartbeat" }
      let read = try await server.request("GET", "/v1/channels/c?min=\(position)")
      let state = SubscriptionLawTests.state(after: blocks)
      #expect(read.body.split(separator: "{\"channel\":").count - 2 == state.count - 1)
      for (key, value) in state { #expect(read.body.contains("\"data\":\"\(key)=\(value)\"")) }
      for (index, block) in blocks.enumerated() {
        guard let id = block.id else { continue }
        let stream = try await server.stream("/v1/channels/c/events", lastEventID: id)
        let resumed = try await stream.waitUntilLive().filter(\.isMessage)
        #expect(resumed.first?.event == "resumed")
        #expect(
          Array(resumed.dropFirst().dropLast()) == Array(blocks[(index + 1)...]),
          "after \(id)")
        stream.close()
      }
      let late = try await server.stream("/v1/channels/c/events")
      #expect(SubscriptionLawTests.state(after: try await late.waitUntilLive()) == state)
    }
  }

  /// With a backlog of one byte every post is one too many, and all streams read from the recent window.
  @Test(arguments: [16 << 20, 1])
  func `readers that join while others write end with the same state`(
    loopBacklogBytesMax: Int
  ) async throws {
    let log = makeLog()
    try await withServer(over: log) {
      $0.limits.loopBacklogBytesMax = loopBacklogBytesMax
    } _: { server in
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask { try await SubscriptionLawTests.write(800, seed: 7, to: log) }
        var streams: [TestStream] = []
        for _ in 0..<40 {
          streams.append(try await server.stream("/v1/channels/c/events"))
        }
        try await group.waitForAll()
        let position = try await server.publish("c", "end=1", key: "end").position
        let read = try await server.request("GET", "/v1/channels/c?min=\(position)")
        for stream in streams {
          try await stream.connection.wait(for: "end=1\n\n")
          let blocks = stream.blocks
          let state = SubscriptionLawTests.state(after: blocks)
          for (key, value) in state { #expect(read.body.contains("\"data\":\"\(key)=\(value)\"")) }
          #expect(read.body.split(separator: "{\"channel\":").count - 2 == state.count - 1)
          #expect(blocks.filter { $0.event == "snapshot" }.count == 1)
          #expect(blocks.filter { $0.event == "live" }.count == 1)
        }
      }
    }
  }
}
