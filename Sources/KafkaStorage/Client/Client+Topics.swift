internal import CRdKafka

/// What the cluster says of topics, and making new ones.
extension Client {
  struct TopicMetadata: Sendable {
    var partitions: Int
    /// Copies of the partition that has the fewest.
    var replicas: Int
  }

  struct NewTopic {
    var name: String
    var partitions: Int
    var replicationFactor: Int?
    var configuration: [String: String]
  }

  /// The topics of the cluster, by name.
  func metadata(within duration: Duration) throws(KafkaFailure) -> [String: TopicMetadata] {
    var pointer: UnsafePointer<rd_kafka_metadata>?
    let code = unsafe rd_kafka_metadata(handle, 1, nil, &pointer, duration.milliseconds)
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR, let metadata = unsafe pointer else {
      throw KafkaFailure(code)
    }
    defer { unsafe rd_kafka_metadata_destroy(metadata) }
    var topics: [String: TopicMetadata] = [:]
    for index in 0..<Int(unsafe metadata.pointee.topic_cnt) {
      let topic = unsafe metadata.pointee.topics[index]
      guard unsafe topic.err == RD_KAFKA_RESP_ERR_NO_ERROR else { continue }
      let partitions = Int(unsafe topic.partition_cnt)
      let replicas = (0..<partitions).map { unsafe Int(topic.partitions[$0].replica_cnt) }
      unsafe topics[String(cString: topic.topic)] = TopicMetadata(
        partitions: partitions, replicas: replicas.min() ?? 0)
    }
    return topics
  }

  /// Makes topics. That one is there already is no failure: somebody else was faster.
  func make(_ topics: [NewTopic], within duration: Duration) throws(KafkaFailure) {
    var text = [CChar](repeating: 0, count: 512)
    var requests: [OpaquePointer?] = unsafe []
    defer { unsafe rd_kafka_NewTopic_destroy_array(&requests, requests.count) }
    for topic in topics {
      guard
        let request = unsafe rd_kafka_NewTopic_new(
          topic.name, Int32(topic.partitions), Int32(topic.replicationFactor ?? -1), &text,
          text.count)
      else { throw KafkaFailure(RD_KAFKA_RESP_ERR__INVALID_ARG, Client.string(text)) }
      unsafe requests.append(request)
      for (name, value) in topic.configuration.sorted(by: { $0.key < $1.key }) {
        unsafe _ = rd_kafka_NewTopic_set_config(request, name, value)
      }
    }
    let event = unsafe try ask(within: duration) { options, queue in
      unsafe rd_kafka_CreateTopics(handle, &requests, requests.count, options, queue)
    }
    defer { unsafe rd_kafka_event_destroy(event) }
    var count = 0
    let results = unsafe rd_kafka_CreateTopics_result_topics(
      rd_kafka_event_CreateTopics_result(event), &count)
    for index in 0..<count {
      guard let result = unsafe results?[index] else { continue }
      let code = unsafe rd_kafka_topic_result_error(result)
      if code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS {
        continue
      }
      let name = unsafe String(cString: rd_kafka_topic_result_name(result))
      let detail = unsafe rd_kafka_topic_result_error_string(result).map {
        unsafe String(cString: $0)
      }
      throw KafkaFailure(code, "\(name): \(detail ?? "cannot be made")")
    }
  }

  /// The configuration of topics, by name.
  func configurations(
    of names: [String], within duration: Duration
  ) throws(KafkaFailure) -> [String: [String: String]] {
    var requests: [OpaquePointer?] = unsafe []
    defer { unsafe rd_kafka_ConfigResource_destroy_array(&requests, requests.count) }
    for name in names {
      unsafe requests.append(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name))
    }
    let event = unsafe try ask(within: duration) { options, queue in
      unsafe rd_kafka_DescribeConfigs(handle, &requests, requests.count, options, queue)
    }
    defer { unsafe rd_kafka_event_destroy(event) }
    var count = 0
    let resources = unsafe rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event), &count)
    var configurations: [String: [String: String]] = [:]
    for index in 0..<count {
      guard let resource = unsafe resources?[index] else { continue }
      let name = unsafe String(cString: rd_kafka_ConfigResource_name(resource))
      let code = unsafe rd_kafka_ConfigResource_error(resource)
      guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFailure(code, name) }
      var entryCount = 0
      let entries = unsafe rd_kafka_ConfigResource_configs(resource, &entryCount)
      for entry in 0..<entryCount {
        guard let entry = unsafe entries?[entry],
          let value = unsafe rd_kafka_ConfigEntry_value(entry)
        else { continue }
        unsafe configurations[name, default: [:]][
          String(cString: rd_kafka_ConfigEntry_name(entry))] = String(cString: value)
      }
    }
    return configurations
  }

  /// Asks something of the cluster and waits for its answer, which whoever asks must free.
  private func ask(
    within duration: Duration, _ request: (OpaquePointer?, OpaquePointer?) -> Void
  ) throws(KafkaFailure) -> OpaquePointer {
    var text = [CChar](repeating: 0, count: 512)
    let answers = unsafe rd_kafka_queue_new(handle)
    defer { unsafe rd_kafka_queue_destroy(answers) }
    let options = unsafe rd_kafka_AdminOptions_new(handle, RD_KAFKA_ADMIN_OP_ANY)
    defer { unsafe rd_kafka_AdminOptions_destroy(options) }
    unsafe _ = rd_kafka_AdminOptions_set_request_timeout(
      options, duration.milliseconds, &text, text.count)
    unsafe request(options, answers)
    guard let event = unsafe rd_kafka_queue_poll(answers, duration.milliseconds + 1000) else {
      throw KafkaFailure.noAnswer(nil)
    }
    let code = unsafe rd_kafka_event_error(event)
    if code != RD_KAFKA_RESP_ERR_NO_ERROR {
      let detail = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
      unsafe rd_kafka_event_destroy(event)
      throw KafkaFailure(code, detail)
    }
    return unsafe event
  }
}
