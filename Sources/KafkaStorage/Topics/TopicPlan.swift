internal import EventStorage

/// The topics of a log: how they are made, and what must be so of those that are there.
struct TopicPlan: Sendable {
  /// The control topic is read whole by everybody who opens the log or writes as a new life, and candidates speak in it all the time. The
  /// segment that is written is never compacted: so it is closed this often, and what is in it compacted soon.
  static let controlSegment = Duration.seconds(600)
  static let controlLag = Duration.seconds(60)
  /// With longer ones somebody waits for it.
  static let controlSegmentMax = Duration.seconds(3600)
  /// The usual length of a segment in time.
  static let segmentMax = Duration.seconds(7 * 24 * 3600)

  let options: KafkaLog.Options

  /// Every topic with the name it has on the broker; nil stands for the control topic.
  var names: [(topic: Topic?, name: String)] {
    Topic.allCases.map { ($0, options.topic($0)) } + [(nil, options.controlTopic)]
  }

  func newTopic(_ topic: Topic?, _ name: String, partitions: Int) -> Client.NewTopic {
    Client.NewTopic(
      name: name, partitions: topic == nil || topic == .topology ? 1 : partitions,
      replicationFactor: options.replicationFactor,
      configuration: options.topicConfiguration.merging(configuration(of: topic)) { given, ours in
        given
      })
  }

  private func configuration(of topic: Topic?) -> [String: String] {
    var configuration = ["max.message.bytes": "\(KafkaProperties.messageBytesMax)"]
    if topic?.isCompacted == false {
      configuration["cleanup.policy"] = "delete"
      configuration["retention.ms"] = "\(options.observationsRetention.milliseconds)"
      configuration["message.timestamp.type"] = "LogAppendTime"
    } else {
      configuration["cleanup.policy"] = "compact"
      configuration["delete.retention.ms"] = "\(options.tombstoneRetention.milliseconds)"
      let lag = topic == nil ? TopicPlan.controlLag : options.compactionLag
      configuration["min.compaction.lag.ms"] = "\(lag.milliseconds)"
      if topic == nil {
        configuration["segment.ms"] = "\(TopicPlan.controlSegment.milliseconds)"
      }
      configuration["message.timestamp.type"] = "CreateTime"
    }
    // An append is acknowledged when all that are in sync have it: two at least, where one may be away.
    if let copies = options.replicationFactor, copies >= 3 {
      configuration["min.insync.replicas"] = "2"
    }
    return configuration
  }

  /// What is not as it must or should be. Pure: what the cluster said goes in, findings come out.
  ///
  /// - Parameter partitions: how many the log has, when that is known already.
  func findings(
    _ metadata: [String: Client.TopicMetadata], _ configurations: [String: [String: String]],
    partitions: Int?
  ) -> [TopicFinding] {
    names.flatMap { topic, name -> [TopicFinding] in
      guard let known = metadata[name] else {
        return [
          finding(
            .refused, nil, name, "it is missing, though the log exists",
            "restore it; or, to begin a new log, delete the others or choose another prefix")
        ]
      }
      return findings(topic, name, known, partitions)
        + findings(topic, name, configurations[name] ?? [:], replicas: known.replicas)
    }
  }

  private func findings(
    _ topic: Topic?, _ name: String, _ known: Client.TopicMetadata, _ partitions: Int?
  ) -> [TopicFinding] {
    var found: [TopicFinding] = []
    let wanted = topic == nil || topic == .topology ? 1 : partitions
    if let wanted, known.partitions != wanted {
      found.append(
        finding(
          .refused, "T12", name, "it has \(known.partitions) partitions, not \(wanted)",
          "the number cannot be changed: make the topic again under a new prefix and migrate"))
    }
    if known.replicas < 3, topic == nil || topic?.isCompacted == true {
      found.append(
        finding(
          .advised, "T8", name, "\(known.replicas) of its brokers hold it",
          "with three copies it survives the loss of a broker"))
    }
    return found
  }

  private func findings(
    _ topic: Topic?, _ name: String, _ configuration: [String: String], replicas: Int
  ) -> [TopicFinding] {
    var found: [TopicFinding] = []
    func check(
      _ weight: TopicFinding.Weight, _ trap: String?, _ key: String, _ remedy: String,
      _ isFine: (String) -> Bool
    ) {
      guard let value = configuration[key], !isFine(value) else { return }
      found.append(finding(weight, trap, name, "\(key) is \(value)", remedy))
    }
    func number(_ key: String, atLeast least: Int64, _ weight: TopicFinding.Weight, _ trap: String?)
    {
      check(weight, trap, key, "set it to \(least) or more") {
        Int64($0).map { $0 >= least } ?? true
      }
    }
    func number(_ key: String, atMost most: Duration, use good: Duration) {
      check(
        .advised, "T9", key,
        "set it to \(good.milliseconds): only segments that are closed and old enough are compacted"
      ) { Int64($0).map { $0 <= Int64(most.milliseconds) } ?? true }
    }
    let policy = configuration["cleanup.policy"]?.split(separator: ",").map(String.init).sorted()
    number("max.message.bytes", atLeast: Int64(KafkaProperties.messageBytesMax), .refused, nil)
    check(
      .refused, "T8", "unclean.leader.election.enable",
      "set it to false: a broker that is behind could lead, and what was acknowledged be gone"
    ) { $0 != "true" }
    if replicas >= 3 {
      check(
        .advised, "T8", "min.insync.replicas",
        "set it to 2: with 1, what is acknowledged may be on one broker alone"
      ) { Int64($0).map { $0 >= 2 } ?? true }
    }
    if topic?.isCompacted == false {
      check(.refused, nil, "cleanup.policy", "set it to delete") { $0 == "delete" }
      number(
        "retention.ms", atLeast: Int64(options.observationsRetention.milliseconds), .refused, nil)
      check(.refused, nil, "message.timestamp.type", "set it to LogAppendTime") {
        $0 == "LogAppendTime"
      }
      return found
    }
    check(
      .refused, policy == ["compact", "delete"] ? "T15" : nil, "cleanup.policy",
      "set it to compact: with delete, facts that nobody repeats are lost"
    ) { $0 == "compact" }
    number(
      "delete.retention.ms", atLeast: Int64(options.tombstoneRetention.milliseconds), .refused,
      "T5")
    if topic == nil {
      number("segment.ms", atMost: TopicPlan.controlSegmentMax, use: TopicPlan.controlSegment)
      number(
        "min.compaction.lag.ms", atMost: TopicPlan.controlSegmentMax, use: TopicPlan.controlLag)
    } else {
      number("segment.ms", atMost: TopicPlan.segmentMax, use: TopicPlan.segmentMax)
      number(
        "min.compaction.lag.ms", atLeast: Int64(options.compactionLag.milliseconds), .advised, "T5")
    }
    check(.refused, nil, "message.timestamp.type", "set it to CreateTime") { $0 == "CreateTime" }
    // Not set by us: older brokers know no such limit of the future alone, and a log that is moved in has old times.
    check(
      .advised, nil, "message.timestamp.after.max.ms",
      "set it to \(options.compactionLag.milliseconds): a record from the far future makes everything old"
    ) { Int64($0).map { $0 <= 24 * 3_600_000 } ?? true }
    if let ratio = configuration["min.cleanable.dirty.ratio"].flatMap(Double.init), ratio > 0.9 {
      check(.advised, "T9", "min.cleanable.dirty.ratio", "set it to 0.5 or less") { _ in false }
    }
    return found
  }

  private func finding(
    _ weight: TopicFinding.Weight, _ trap: String?, _ topic: String, _ found: String,
    _ remedy: String
  ) -> TopicFinding {
    TopicFinding(weight: weight, trap: trap, topic: topic, found: found, remedy: remedy)
  }
}
