extension BenchmarkCase {
  /// Delivering events of a channel to everybody who listens.
  static let streams = BenchmarkCase(
    name: "streams", about: "1,000 and 5,000 SSE subscribers: CPU a delivery, memory a connection"
  ) { run in
    for count in run.size.of(smoke: [50], full: [1000, 5000]) {
      try raiseDescriptorLimit(to: UInt64(2 * count + 1024))
      let deliveries = run.size.of(smoke: 2000, full: 1_000_000)
      for width in [1, 16] {
        run.progress("streams: \(count) subscribers, \(width) in flight")
        let folder = run.folder + "/streams-\(count)-\(width)"
        let server = try SignalboxServer(
          run, folder: folder, options: ["--connections-max", "\(count + 256)"])
        defer { server.process.end() }
        try measure(
          run, server, subscribers: count, width: width,
          events: max(20, deliveries / count * (width == 1 ? 1 : 4)))
      }
    }
  }
}

private func measure(
  _ run: BenchmarkRun, _ server: SignalboxServer, subscribers: Int, width: Int, events: Int
) throws {
  let process = server.process
  // The first connections cost memory that later ones share.
  _ = try StreamLoad(port: server.port, subscribers: 8, publishers: width, payloadBytes: 200)
    .run(events: 64)
  let before = process.residentBytes
  let load = try StreamLoad(
    port: server.port, subscribers: subscribers, publishers: width, payloadBytes: 200)
  let idle = process.residentBytes
  let processor = process.processorSeconds
  let result = try load.run(events: events)
  let cost = (process.processorSeconds - processor) / Double(result.deliveries)
  let after = process.residentBytes
  guard result.deliveries == subscribers * events else {
    throw BenchmarkFailure("\(result.deliveries) deliveries, not \(subscribers * events)")
  }
  func kilobytes(_ bytes: Double) -> String {
    Quantity.figures((bytes - before) / Double(subscribers) / 1024)
  }
  let name = "streams, \(subscribers) subscribers, \(width) in flight"
  run.report(
    BenchmarkRow(
      name, Quantity(cost * 1e6, "µs CPU"),
      evidence:
        "\(result.deliveries) deliveries, \(Quantity(result.rate, "/s").text), "
        + "\(result.latencies.text); \(kilobytes(idle)) KB a connection idle, "
        + "\(kilobytes(after)) KB after traffic; client "
        + "\(Quantity.figures(result.clientSeconds / Double(result.deliveries) * 1e6)) µs"))
}
