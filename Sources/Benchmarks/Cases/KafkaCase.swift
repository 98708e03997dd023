import EventStorage
import Foundation
import KafkaStorage
import Projections

extension BenchmarkCase {
  /// The log on Kafka, beside librdkafka alone on the same broker.
  static let kafka = BenchmarkCase(
    name: "kafka",
    about:
      "on a Kafka broker: replay and publish beside bare librdkafka; three instances, one killed"
  ) { run in
    guard let program = KafkaBroker.program() else {
      for name in ["replay from Kafka", "publish, HTTP, on Kafka", "kill -9 of one of three"] {
        run.report(BenchmarkRow(name, nil, evidence: "", missing: KafkaBroker.missing))
      }
      return
    }
    let broker = try KafkaBroker(program: program, folder: run.folder + "/broker")
    defer { broker.process.end() }
    let onKafka = OnKafka(run: run, broker: broker)
    try await onKafka.measureReplay()
    try await onKafka.measurePublish()
    try await onKafka.measureFailover()
  }
}

/// What is measured on one broker.
private struct OnKafka {
  let run: BenchmarkRun
  let broker: KafkaBroker

  func options(_ prefix: String, partitions: Int = 1) -> KafkaLog.Options {
    var options = KafkaLog.Options(brokers: broker.address)
    options.prefix = prefix
    options.partitions = partitions
    return options
  }

  func url(_ prefix: String) -> String { "kafka://\(broker.address)?prefix=\(prefix)" }

  /// Fills the messages of a log, in transactions of a thousand records.
  ///
  /// - Parameter time: when they were published; nil for the times that the events have.
  func fill(_ options: KafkaLog.Options, events: Int, at time: Int64? = nil) async throws {
    let log = try KafkaLog(options)
    defer { log.close() }
    var generator = SyntheticEvents(
      seed: SyntheticLog.seed, channels: SyntheticLog.channels)
    let partitions = log.layout.partitions(of: .messages)
    var number = 0
    for start in stride(from: 0, to: events, by: SyntheticLog.batchRecords) {
      var batch = generator.messages(min(SyntheticLog.batchRecords, events - start))
      if let time { batch.timestamp = time }
      _ = try await log.append(batch, to: partitions[number % partitions.count])
      number += 1
    }
  }

  // MARK: Replay

  func measureReplay() async throws {
    let events = run.size.of(smoke: 5000, full: 1_000_000)
    run.progress("kafka: writing \(events) events")
    let options = options("replay")
    try await fill(options, events: events)
    let partition = Partition(.messages, 0)
    let topic = "\(options.prefix).messages"
    var processor = (ours: 0.0, rival: 0.0)
    var digest = ""
    var read = (messages: 0, bytes: 0)
    let rounds = run.size.of(smoke: 1, full: 5)
    let rates = try await medians(
      rounds: rounds,
      [
        {
          run.progress("kafka: replay")
          let log = try KafkaLog(options)
          defer { log.close() }
          _ = try log.bounds(of: partition)
          var fold = Fold<Channels>(partition)
          let (start, before) = (wallSeconds(), processSeconds())
          try fold.catchUp(with: log)
          let rate = Double(events) / (wallSeconds() - start)
          processor.ours += processSeconds() - before
          digest = String(fold.state.digest.prefix(6))
          return rate
        },
        {
          run.progress("kafka: bare consumer")
          let consumer = try BareKafka.consumer(broker.address)
          let (start, before) = (wallSeconds(), processSeconds())
          read = try consumer.readAll(topic, partition: 0)
          let rate = Double(events) / (wallSeconds() - start)
          processor.rival += processSeconds() - before
          return rate
        },
      ])
    guard read.messages == events else {
      throw BenchmarkFailure("the bare consumer read \(read.messages) of \(events) messages")
    }
    let scale = 1e9 / Double(events * rounds)
    run.report(
      BenchmarkRow(
        "replay from Kafka into channels", Quantity(rates[0], "/s"),
        against: "bare librdkafka consumer", Quantity(rates[1], "/s"), ratio: rates[0] / rates[1],
        target: .atLeast(0.7),
        evidence: "\(events) events, \(read.bytes / events) B each, digest \(digest); CPU an event "
          + "\(Quantity.figures(processor.ours * scale)) ns, bare "
          + "\(Quantity.figures(processor.rival * scale)) ns"))
  }

  // MARK: Publish

  func measurePublish() async throws {
    let payloadBytes = 100
    let seconds = run.size.of(smoke: 0.3, full: 3.0)
    let rounds = run.size.of(smoke: 1, full: 5)
    // A log of its own makes the rival's topic as ours are made.
    try KafkaLog(options("bare")).close()
    let server = try SignalboxServer(
      run, log: url("publish"), notes: run.folder + "/publish", options: ["--partitions", "1"])
    defer { server.process.end() }
    for connections in [1, 256] {
      var (ours, theirs) = ([PublishResult](), [PublishResult]())
      for round in 1...rounds {
        run.progress("kafka: publish, \(connections) connections, round \(round) of \(rounds)")
        ours.append(
          try PublishLoad(
            HTTPDialect(), port: server.port, connections: connections, payloadBytes: payloadBytes
          ).run(seconds: seconds))
        theirs.append(
          try BareKafka.producer(broker.address).publish(
            to: "bare.messages", partition: 0, inFlight: connections, payloadBytes: payloadBytes,
            seconds: seconds))
      }
      func milliseconds(_ results: [PublishResult], _ share: Double) -> Double {
        median(results.map { $0.latencies.milliseconds(share) })
      }
      func text(_ results: [PublishResult]) -> String {
        "p99 \(Quantity.figures(milliseconds(results, 0.99))) ms, "
          + Quantity(median(results.map(\.rate)), "/s").text
      }
      let (own, bare) = (milliseconds(ours, 0.5), milliseconds(theirs, 0.5))
      run.report(
        BenchmarkRow(
          "publish, HTTP, on Kafka, \(connections) at once", Quantity(own, "ms p50"),
          against: "bare producer", Quantity(bare, "ms p50"), ratio: own / bare,
          evidence: "ours \(text(ours)); bare, idempotent, acks=all, linger 0.5 ms: \(text(theirs))"
        ))
    }
  }

  // MARK: Failover

  func measureFailover() async throws {
    let subscribers = run.size.of(smoke: 10, full: 100)
    let events = run.size.of(smoke: 2000, full: 100_000)
    let rounds = run.size.of(smoke: 1, full: 7)
    run.progress("kafka: writing \(events) events for three instances")
    // Of now: nobody could resume from before what must stay readable of deletions.
    let now = Int64(Date().timeIntervalSince1970 * 1000)
    try await fill(options("three", partitions: 2), events: events, at: now)
    var (cold, warm) = ([Latencies](), [Latencies]())
    for round in 1...rounds {
      run.progress("kafka: kill -9, round \(round) of \(rounds)")
      let servers = try (0..<3).map {
        try SignalboxServer(run, log: url("three"), notes: run.folder + "/three-\($0)")
      }
      defer { for server in servers { server.process.end() } }
      let load = try FailoverLoad(port: servers[0].port, subscribers: subscribers)
      cold.append(try load.failOver(from: servers[0].process, to: servers[1].port))
      let before = try FailoverLoad(port: servers[2].port, subscribers: subscribers)
      warm.append(try load.failOver(from: servers[1].process, to: servers[2].port))
      withExtendedLifetime(before) {}
    }
    for (name, latencies) in [("holds the channels", warm), ("has to read \(events) first", cold)] {
      let last = latencies.map { $0.milliseconds(1) }
      run.report(
        BenchmarkRow(
          "kill -9 of one of three", Quantity(median(last), "ms to the last"),
          evidence: "\(subscribers) subscribers resumed at one that \(name); first "
            + "\(Quantity.figures(median(latencies.map { $0.milliseconds(0) }))) ms, "
            + "longest of \(rounds) rounds \(Quantity.figures(last.max() ?? .nan)) ms"))
    }
  }
}
