internal import CRdKafka
internal import EventStorage

/// Reading without a group: partitions are started and stopped one by one, from offsets that are ours.
extension Client {
  func startReading(
    _ topic: String, tag: Int = 0, partition: Int, from offset: Offset
  ) throws(KafkaFailure) {
    let topic = unsafe try self.topic(topic, tag: tag)
    let code = unsafe rd_kafka_consume_start_queue(
      topic, Int32(partition), offset.rawValue, queue)
    if code != 0 { throw KafkaFailure(rd_kafka_last_error()) }
  }

  /// What was read ahead is dropped.
  func stopReading(_ topic: String, partition: Int) {
    guard let topic = unsafe try? self.topic(topic) else { return }
    unsafe rd_kafka_consume_stop(topic, Int32(partition))
  }

  /// Where the partition starts and, for readers of what is committed, ends. Asks the broker.
  ///
  /// librdkafka has a call for both, which does not keep its time: it waits for a broker that has stopped as long as that has.
  func watermarks(
    of topic: String, _ partition: Int, within duration: Duration
  ) throws(KafkaFailure) -> (start: Offset, end: Offset) {
    let deadline = ContinuousClock.now + duration
    // -2 is how the protocol asks for the start instead of a time.
    let start = try offsets(of: [(topic, partition)], notBefore: -2, within: duration)[0]
    let end = try ends(of: [(topic, partition)], within: max(.milliseconds(1), deadline - .now))[0]
    return (start ?? .zero, end)
  }

  /// The first offset of each partition whose record is not older than `time`; nil when all are. Asks the broker.
  func offsets(
    of partitions: [(topic: String, partition: Int)], notBefore time: Int64,
    within duration: Duration
  ) throws(KafkaFailure) -> [Offset?] {
    let list = unsafe rd_kafka_topic_partition_list_new(Int32(partitions.count))
    guard let list = unsafe list else { throw KafkaFailure(RD_KAFKA_RESP_ERR__FAIL) }
    defer { unsafe rd_kafka_topic_partition_list_destroy(list) }
    for (topic, partition) in partitions {
      let entry = unsafe rd_kafka_topic_partition_list_add(list, topic, Int32(partition))
      unsafe entry?.pointee.offset = time
    }
    let code = unsafe rd_kafka_offsets_for_times(handle, list, duration.milliseconds)
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFailure(code) }
    var offsets: [Offset?] = []
    for index in partitions.indices {
      let entry = unsafe list.pointee.elems[index]
      guard unsafe entry.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
        throw unsafe KafkaFailure(entry.err)
      }
      offsets.append(unsafe entry.offset < 0 ? nil : unsafe Offset(entry.offset))
    }
    return offsets
  }

  /// The committed end of each partition. Asks the broker.
  func ends(
    of partitions: [(topic: String, partition: Int)], within duration: Duration
  ) throws(KafkaFailure) -> [Offset] {
    // -1 is how the protocol asks for the end instead of a time.
    try offsets(of: partitions, notBefore: -1, within: duration).map { $0 ?? .zero }
  }

  /// What librdkafka has said of errors since the last call, the newest; and whether the client is of no more use.
  func takeErrors() -> (text: String, isFatal: Bool)? {
    var newest: (String, Bool)?
    let main: OpaquePointer = unsafe rd_kafka_queue_get_main(handle)
    defer { unsafe rd_kafka_queue_destroy(main) }
    while let event = unsafe rd_kafka_queue_poll(main, 0) {
      if unsafe rd_kafka_event_type(event) == RD_KAFKA_EVENT_ERROR {
        newest = unsafe Client.error(of: event)
      }
      unsafe rd_kafka_event_destroy(event)
    }
    return newest
  }

  static func error(of event: OpaquePointer) -> (String, Bool) {
    let code = unsafe rd_kafka_event_error(event)
    let text = unsafe rd_kafka_event_error_string(event).map { unsafe String(cString: $0) }
    return (KafkaFailure(code, text).detail, unsafe rd_kafka_event_error_is_fatal(event) != 0)
  }
}
