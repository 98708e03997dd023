internal import EventStorage

/// The properties of librdkafka that a client is made with: what the user gave, over what we prefer, under what must be.
struct KafkaProperties {
  /// What the log relies on. Nobody else may set these.
  static let ours: [String: String] = [
    "bootstrap.servers": "the URL of the log says where the brokers are",
    "metadata.broker.list": "the URL of the log says where the brokers are",
    "enable.idempotence": "without it a retry could double or reorder records",
    "acks": "an append is acknowledged when every replica in sync has it",
    "request.required.acks": "an append is acknowledged when every replica in sync has it",
    "delivery.report.only.error": "an append is acknowledged by a report of success, too",
    "transactional.id": "it is how an old writer is kept out",
    "isolation.level": "what was not committed must not be read",
    "enable.partition.eof": "it is how the end of a partition is known",
    "auto.offset.reset": "a position that is gone must be an error, not a jump",
    "check.crcs": "damage must be found, not served",
    "enable.auto.commit": "positions live with the state",
    "enable.auto.offset.store": "positions live with the state",
    "message.timeout.ms": "set how long an append may take instead",
    "delivery.timeout.ms": "set how long an append may take instead",
    "transaction.timeout.ms": "set how long a transaction may take instead",
    "partitioner": "records go to the partition that the log says",
  ]

  private let options: KafkaLog.Options

  init(_ options: KafkaLog.Options) throws(LogError) {
    self.options = options
    for name in options.properties.keys.sorted() {
      guard let reason = KafkaProperties.ours[name] else { continue }
      throw .cannotOpen(
        path: options.url, reason: "the property \(name) may not be set: \(reason)",
        remedy: "remove it")
    }
    // Unknown names and bad values are found before anything is asked of a broker.
    for kind in [Client.Kind.producer, .consumer] {
      do throws(KafkaFailure) {
        _ = try Client(kind, kind == .producer ? producer : reader)
      } catch {
        throw .cannotOpen(
          path: options.url, reason: "librdkafka refuses the properties: \(hidden(error.detail))",
          remedy: "see its list of properties")
      }
    }
  }

  private var common: [String: String] {
    [
      "bootstrap.servers": options.brokers,
      "client.id": "signalbox",
      "socket.timeout.ms": "\(options.requestTimeout.milliseconds)",
      "socket.keepalive.enable": "true",
      "reconnect.backoff.ms": "50",
      "reconnect.backoff.max.ms": "1000",
      "topic.metadata.refresh.interval.ms": "60000",
    ].merging(options.properties) { _, given in given }
  }

  /// What librdkafka said, without the values that were given: any of them may be a secret. Short ones, which may be parts of names,
  /// only in quotes.
  private func hidden(_ text: String) -> String {
    options.properties.values.sorted { $0.utf8.count > $1.utf8.count }.filter { !$0.isEmpty }
      .reduce(text) {
        $1.utf8.count < 6
          ? $0.replacing("\"\($1)\"", with: "\"…\"") : $0.replacing($1, with: "…")
      }
  }

  /// The largest record, its headers and the framing of a batch.
  static let messageBytesMax = LogLimits.recordBytesMax + 64 * 1024

  private var writing: [String: String] {
    var properties: [String: String] = [
      "enable.idempotence": "true",
      "acks": "all",
      "message.max.bytes": "\(KafkaProperties.messageBytesMax)",
      "compression.type": "lz4",
      // Ours is the limit that counts: LogLimits.pendingBytesMax for each partition.
      "queue.buffering.max.messages": "10000000",
      "queue.buffering.max.kbytes": "2097151",
      "request.timeout.ms": "\(options.requestTimeout.milliseconds)",
    ]
    properties.merge(common) { _, given in given }
    return properties
  }

  /// For appends of one record that no writer is fenced for.
  var producer: [String: String] {
    var properties = ["linger.ms": "0.5"].merging(writing) { _, given in given }
    properties["message.timeout.ms"] = "\(options.sendTimeout.milliseconds)"
    return properties
  }

  /// For appends in transactions.
  func transactor(id: String) -> [String: String] {
    var properties = writing
    properties["transactional.id"] = id
    let timeout = min(options.sendTimeout, options.transactionTimeout * 0.9)
    properties["transaction.timeout.ms"] = "\(options.transactionTimeout.milliseconds)"
    properties["message.timeout.ms"] = "\(timeout.milliseconds)"
    // What a transaction holds is sent by its commit, in as few requests as possible.
    properties["linger.ms"] = "\(min(.seconds(1), timeout / 2).milliseconds)"
    return properties
  }

  private var reading: [String: String] {
    var properties: [String: String] = [
      // When what was read ahead waits to be taken, ask again soon; by default that is half a second.
      "fetch.error.backoff.ms": "20",
      "fetch.message.max.bytes": "1048576",
      "fetch.min.bytes": "1",
    ]
    properties.merge(common) { _, given in given }
    properties.merge([
      "isolation.level": "read_committed",
      "enable.partition.eof": "true",
      "auto.offset.reset": "error",
      "check.crcs": "true",
    ]) { _, ours in ours }
    return properties
  }

  /// For the ends of partitions, as they grow. A partition whose last offset is no record is known to end only after the wait.
  var follower: [String: String] {
    ["fetch.wait.max.ms": "\(FetchPace.waitMilliseconds)", "queued.max.messages.kbytes": "16384"]
      .merging(reading) { _, given in given }
  }

  /// For the control topic. Also what was not committed: a life that began to be written is over for those before it, and no
  /// transaction of another writer hides a newer one.
  var controlReader: [String: String] {
    reader.merging(["isolation.level": "read_uncommitted"]) { _, ours in ours }
  }

  /// For the control topic as it grows.
  var controlFollower: [String: String] {
    controlReader.merging(["fetch.wait.max.ms": "100"]) { _, ours in ours }
  }

  /// For ranges.
  var reader: [String: String] {
    ["fetch.wait.max.ms": "10", "queued.max.messages.kbytes": "32768"]
      .merging(reading) { _, given in given }
  }
}
