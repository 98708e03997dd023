internal import EventStorage

/// Makes the topics that are missing, and refuses those that would lose something.
struct TopicSetup {
  let options: KafkaLog.Options
  let properties: KafkaProperties
  private let plan: TopicPlan

  init(_ options: KafkaLog.Options, _ properties: KafkaProperties) {
    self.options = options
    self.properties = properties
    plan = TopicPlan(options: options)
  }

  /// - Returns: the identity and the layout of the log.
  func open() throws(LogError) -> (LogIdentity, LogLayout) {
    let client: Client
    do throws(KafkaFailure) {
      client = try Client(.producer, properties.producer, reports: .queued)
    } catch {
      throw cannotOpen(error.detail, "check the properties")
    }
    var metadata = try asking { () throws(KafkaFailure) in
      try client.metadata(within: options.requestTimeout)
    }
    let control = ControlTopic(options: options, properties: properties)
    var known: ControlTopic.Content?
    if metadata[options.controlTopic] != nil { known = try control.read() }
    try checkTakeover(known)
    let partitions =
      known?.partitions ?? metadata[options.topic(.messages)]?.partitions ?? options.partitions ?? 2
    if let wanted = options.partitions, wanted != partitions {
      throw cannotOpen(
        "it has \(partitions) partitions, not \(wanted)",
        "leave the number away, or choose another prefix for a new log")
    }
    guard (1...LogLayout.partitionsMax).contains(partitions) else {
      throw cannotOpen(
        "it has \(partitions) partitions", "1 to \(LogLayout.partitionsMax) are possible")
    }
    let missing = plan.names.filter { metadata[$0.name] == nil }
    if known?.identity == nil, !options.makesTopics {
      throw cannotOpen("there is no log under this prefix", "check the prefix, or serve it first")
    }
    if options.managesTopics, known?.identity == nil, !missing.isEmpty {
      metadata = try make(missing, partitions, by: client)
    }
    try check(client, metadata, partitions)
    let offer = LogIdentity(UInt64.random(in: .min ... .max))
    // Before it can be opened by anybody.
    if case .begin(let source) = options.takeover { try control.put(moving: source, into: offer) }
    let settled = try control.settle(offer, partitions: partitions)
    // Others may have come since the first look.
    if settled.identity != offer { try checkTakeover(settled) }
    guard let identity = settled.identity, settled.partitions == partitions else {
      throw cannotOpen(
        "another instance made it with \(settled.partitions ?? 0) partitions, not \(partitions)",
        "start again")
    }
    return (identity, LogLayout(partitions: partitions))
  }

  /// A log into which another one was moved half way is nobody's.
  private func checkTakeover(_ known: ControlTopic.Content?) throws(LogError) {
    switch options.takeover {
    case .begin:
      if known?.identity != nil {
        throw cannotOpen(
          known?.moving == nil
            ? "there is a log already" : "a move into it did not come to its end",
          "choose another prefix, or delete its topics")
      }
    case .finish(let source):
      guard let moving = known?.moving, moving != source else { return }
      throw cannotOpen("log \(moving) is being moved into it, not \(source)", "check the prefix")
    case nil:
      if let moving = known?.moving {
        throw cannotOpen(
          "log \(moving) is being moved into it, or was and that did not come to its end",
          "wait for `signalbox migrate`, or start that again: it says what to do")
      }
    }
  }

  private func make(
    _ missing: [(topic: Topic?, name: String)], _ partitions: Int, by client: Client
  ) throws(LogError) -> [String: Client.TopicMetadata] {
    try asking { () throws(KafkaFailure) in
      try client.make(
        missing.map { plan.newTopic($0.topic, $0.name, partitions: partitions) },
        within: options.requestTimeout)
      // A cluster may take a moment to tell of new topics.
      let deadline = ContinuousClock.now + options.requestTimeout
      while true {
        let metadata = try client.metadata(within: options.requestTimeout)
        if plan.names.allSatisfy({ (metadata[$0.name]?.partitions ?? 0) > 0 }) { return metadata }
        if .now > deadline { throw KafkaFailure.noAnswer("new topics do not appear") }
        pause(for: .milliseconds(50))
      }
    }
  }

  private func check(
    _ client: Client, _ metadata: [String: Client.TopicMetadata], _ partitions: Int
  ) throws(LogError) {
    let refused = try findings(client, metadata, partitions).filter { $0.weight == .refused }
    guard let first = refused.first else { return }
    let reasons = refused.map(\.description).joined(separator: "\n  ")
    throw .cannotOpen(
      path: options.url,
      reason: refused.count == 1
        ? "a topic is not as it must be: \(first.description)"
        : "topics are not as they must be:\n  \(reasons)\n",
      remedy: "start again when that is done")
  }

  /// Everything that is not as it must or should be.
  func findings(
    _ client: Client, _ metadata: [String: Client.TopicMetadata], _ partitions: Int?
  ) throws(LogError) -> [TopicFinding] {
    let names = plan.names.map(\.name).filter { metadata[$0] != nil }
    let configurations = try asking { () throws(KafkaFailure) in
      options.managesTopics
        ? try client.configurations(of: names, within: options.requestTimeout) : [:]
    }
    return plan.findings(metadata, configurations, partitions: partitions)
  }

  /// The findings for the topics as they are now.
  func findings() throws(LogError) -> [TopicFinding] {
    let (client, metadata) = try asking { () throws(KafkaFailure) in
      let client = try Client(.producer, properties.producer, reports: .queued)
      return (client, try client.metadata(within: options.requestTimeout))
    }
    guard plan.names.contains(where: { metadata[$0.name] != nil }) else {
      throw cannotOpen("there is no log under this prefix", "check the prefix, or serve it first")
    }
    var partitions = options.partitions
    if metadata[options.controlTopic] != nil {
      let control = ControlTopic(options: options, properties: properties)
      partitions = try control.read().partitions ?? partitions
    }
    return try findings(
      client, metadata, partitions ?? metadata[options.topic(.messages)]?.partitions)
  }

  private func asking<Result>(
    _ body: () throws(KafkaFailure) -> Result
  ) throws(LogError) -> Result {
    do throws(KafkaFailure) {
      return try body()
    } catch {
      throw cannotOpen(error.detail, "check that the broker runs and may be used")
    }
  }

  private func cannotOpen(_ reason: String, _ remedy: String) -> LogError {
    .cannotOpen(path: options.url, reason: reason, remedy: remedy)
  }
}
