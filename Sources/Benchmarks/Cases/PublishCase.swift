extension BenchmarkCase {
  /// Publishing until durable, over the network.
  static let publish = BenchmarkCase(
    name: "publish", about: "publish over HTTP to durable, 256 connections, beside NATS JetStream"
  ) { run in
    let connections = 256
    let payloadBytes = 100
    let rounds = run.size.of(smoke: 1, full: 3)
    let seconds = run.size.of(smoke: 0.5, full: 4.0)
    try raiseDescriptorLimit(to: 4096)
    let server = try SignalboxServer(run, folder: run.folder + "/signalbox")
    defer { server.process.end() }
    let nats = try NATSServer.program().map {
      try NATSServer(program: $0, folder: run.folder + "/nats")
    }
    defer { nats?.process.end() }
    if let nats { try JetStream(port: nats.port).makeStream() }

    var ours = PublishTotals()
    var theirs = PublishTotals()
    for round in 1...rounds {
      run.progress("publish: round \(round) of \(rounds)")
      try ours.add(server.process) {
        try PublishLoad(
          HTTPDialect(), port: server.port, connections: connections, payloadBytes: payloadBytes
        ).run(seconds: seconds)
      }
      if let nats {
        try theirs.add(nats.process) {
          try PublishLoad(
            NATSDialect(), port: nats.port, connections: connections, payloadBytes: payloadBytes
          ).run(seconds: seconds)
        }
      }
    }
    run.report(
      BenchmarkRow(
        "publish, HTTP, 256 connections", Quantity(ours.rate, "/s"), against: "NATS JetStream",
        nats == nil ? nil : Quantity(theirs.rate, "/s"),
        ratio: nats == nil ? nil : ours.rate / theirs.rate, target: .atLeast(5),
        evidence: "ours \(ours.text)" + (nats == nil ? "" : "; NATS \(theirs.text)"),
        missing: nats == nil ? NATSServer.missing : nil))
  }
}

/// The rounds of one server.
private struct PublishTotals {
  var rates: [Double] = []
  var acknowledged = 0
  var latencies = Latencies()
  var serverSeconds = 0.0
  var clientSeconds = 0.0

  mutating func add(_ server: ChildProcess, _ load: () throws -> PublishResult) throws {
    let before = server.processorSeconds
    let result = try load()
    serverSeconds += server.processorSeconds - before
    rates.append(result.rate)
    acknowledged += result.acknowledged
    latencies.add(result.latencies)
    clientSeconds += result.clientSeconds
  }

  var rate: Double { median(rates) }

  var text: String {
    let server = Quantity.figures(serverSeconds / Double(acknowledged) * 1e6)
    let client = Quantity.figures(clientSeconds / Double(acknowledged) * 1e6)
    return "\(acknowledged) acknowledged, \(latencies.text), "
      + "CPU a message \(server) µs + \(client) µs in the client"
  }
}
