extension BenchmarkCase {
  /// Delivering events of a channel to everybody who listens.
  static let streams = BenchmarkCase(
    name: "streams", about: "1,000 and 5,000 SSE subscribers: CPU a delivery, memory a connection"
  ) { run in
    let deliveries = run.size.of(smoke: 2000, full: 600_000)
    for count in run.size.of(smoke: [50], full: [1000, 5000]) {
      // Both ends of every connection to the bare thread are in this process.
      try raiseDescriptorLimit(to: UInt64(2 * count + 1024))
      for width in [1, 16] {
        let load = Streams(
          subscribers: count, width: width,
          events: max(20, deliveries / count * (width == 1 ? 1 : 4)))
        var ours: [StreamFigures] = []
        var bare: [StreamFigures] = []
        let rounds = run.size.of(smoke: 1, full: 3)
        for round in 1...rounds {
          run.progress("streams: \(count) subscribers, \(width) in flight, round \(round)")
          ours.append(
            try load.measureServer(run, folder: run.folder + "/streams-\(count)-\(width)-\(round)"))
          bare.append(try load.measureBare())
        }
        run.report(load.row(ours, bare))
      }
    }
  }
}

/// One combination of subscribers and events in flight.
private struct Streams {
  static let payloadBytes = 200

  let subscribers: Int
  let width: Int
  let events: Int

  func measureServer(_ run: BenchmarkRun, folder: String) throws -> StreamFigures {
    let server = try SignalboxServer(
      run, folder: folder, options: ["--connections-max", "\(subscribers + 256)"])
    defer { server.process.end() }
    // The first connections cost memory that later ones share.
    _ = try StreamLoad(
      port: server.port, subscribers: 8, publishers: width, payloadBytes: Streams.payloadBytes
    ).run(events: 64)
    let before = server.process.residentBytes
    return try measure(server.port) {
      server.process.processorSeconds
    } resident: {
      (server.process.residentBytes - before) / Double(subscribers)
    }
  }

  func measureBare() throws -> StreamFigures {
    let bare = try BareFanOut()
    defer { bare.end() }
    return try measure(bare.port) {
      bare.processorSeconds
    } resident: {
      0
    }
  }

  private func measure(
    _ port: UInt16, processor: () -> Double, resident: () -> Double
  ) throws -> StreamFigures {
    let load = try StreamLoad(
      port: port, subscribers: subscribers, publishers: width, payloadBytes: Streams.payloadBytes)
    let idle = resident()
    let before = processor()
    let result = try load.run(events: events)
    let seconds = processor() - before
    guard result.deliveries == subscribers * events else {
      throw BenchmarkFailure("\(result.deliveries) deliveries, not \(subscribers * events)")
    }
    return StreamFigures(
      result: result, cost: seconds / Double(result.deliveries), idleBytes: idle,
      usedBytes: resident())
  }

  func row(_ ours: [StreamFigures], _ bare: [StreamFigures]) -> BenchmarkRow {
    let cost = median(ours.map(\.cost))
    let floor = median(bare.map(\.cost))
    var latencies = Latencies()
    for figures in ours { latencies.add(figures.result.latencies) }
    let rate = Quantity(median(ours.map(\.result.rate)), "/s").text
    let bareRate = Quantity(median(bare.map(\.result.rate)), "/s").text
    let idle = Quantity.figures(median(ours.map(\.idleBytes)) / 1024)
    let used = Quantity.figures(median(ours.map(\.usedBytes)) / 1024)
    let client = median(ours.map { $0.result.clientSeconds / Double($0.result.deliveries) })
    return BenchmarkRow(
      "\(subscribers) streams, \(width) in flight", Quantity(cost * 1e6, "µs CPU"),
      against: "epoll + send", Quantity(floor * 1e6, "µs CPU"), ratio: cost / floor,
      evidence:
        "\(subscribers * events) deliveries, \(rate) (bare \(bareRate)), \(latencies.text), "
        + "\(idle) KB a connection, \(used) KB after traffic, "
        + "client \(Quantity.figures(client * 1e6)) µs")
  }
}

private struct StreamFigures {
  var result: StreamResult
  /// Processor seconds of the server for a delivery.
  var cost: Double
  /// Memory of the server for a connection, before and after traffic.
  var idleBytes: Double
  var usedBytes: Double
}
