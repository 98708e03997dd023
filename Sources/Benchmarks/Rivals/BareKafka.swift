import CRdKafka
import Glibc

/// librdkafka's C API and nothing else: a consumer that looks at every message, and a producer that waits for reports.
final class BareKafka {
  private let handle: OpaquePointer
  private let queue: OpaquePointer
  private var topics: [String: OpaquePointer] = [:]
  /// A report of what came or arrived; C takes them by the thousand.
  private let room = UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
    .allocate(capacity: BareKafka.roomCount)
  private static let roomCount = 2048

  private init(_ type: rd_kafka_type_t, _ properties: [String: String], events: Int32) throws {
    let conf = rd_kafka_conf_new()
    var text = [CChar](repeating: 0, count: 512)
    for (name, value) in properties {
      guard rd_kafka_conf_set(conf, name, value, &text, text.count) == RD_KAFKA_CONF_OK else {
        rd_kafka_conf_destroy(conf)
        throw BenchmarkFailure("librdkafka refuses \(name)=\(value)")
      }
    }
    rd_kafka_conf_set_log_cb(conf, nil)
    rd_kafka_conf_set_events(conf, events)
    // On success rd_kafka_new takes the conf; on failure it is still ours to free.
    guard let handle = rd_kafka_new(type, conf, &text, text.count) else {
      rd_kafka_conf_destroy(conf)
      throw BenchmarkFailure("librdkafka makes no client")
    }
    self.handle = handle
    queue = type == RD_KAFKA_PRODUCER ? rd_kafka_queue_get_main(handle) : rd_kafka_queue_new(handle)
  }

  deinit {
    for topic in topics.values { rd_kafka_topic_destroy(topic) }
    rd_kafka_queue_destroy(queue)
    rd_kafka_destroy(handle)
    room.deallocate()
  }

  /// A reader as careful as ours: checksums, what is committed, and the end as the broker says it.
  static func consumer(_ broker: String) throws -> BareKafka {
    try BareKafka(
      RD_KAFKA_CONSUMER,
      [
        "bootstrap.servers": broker, "check.crcs": "true", "isolation.level": "read_committed",
        "enable.partition.eof": "true", "auto.offset.reset": "error",
        // With the default it would stand still for half a second whenever its queue is full.
        "fetch.error.backoff.ms": "20",
      ], events: 0)
  }

  /// A writer with the guarantees of ours, and its patience.
  static func producer(_ broker: String) throws -> BareKafka {
    try BareKafka(
      RD_KAFKA_PRODUCER,
      [
        "bootstrap.servers": broker, "enable.idempotence": "true", "acks": "all",
        "compression.type": "lz4", "linger.ms": "0.5",
      ], events: RD_KAFKA_EVENT_DR)
  }

  private func topic(_ name: String) throws -> OpaquePointer {
    if let known = topics[name] { return known }
    guard let made = rd_kafka_topic_new(handle, name, nil) else {
      throw BenchmarkFailure("librdkafka knows no topic \(name)")
    }
    topics[name] = made
    return made
  }

  /// Reads a partition from its start to its end, and adds up what came.
  func readAll(_ name: String, partition: Int32) throws -> (messages: Int, bytes: Int) {
    let topic = try topic(name)
    guard rd_kafka_consume_start_queue(topic, partition, 0, queue) == 0 else {
      throw BenchmarkFailure("librdkafka does not read \(name)")
    }
    defer { rd_kafka_consume_stop(topic, partition) }
    var count = Count()
    while count.failure == nil {
      // Takes everything that has come in one go: of all calls the one that wakes and locks least.
      let calls = withUnsafeMutablePointer(to: &count) { count in
        rd_kafka_consume_callback_queue(
          queue, 10_000,
          { message, count in
            guard let message, let count = count?.assumingMemoryBound(to: Count.self) else {
              return
            }
            if message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR {
              count.pointee.messages += 1
              count.pointee.bytes += message.pointee.key_len + message.pointee.len
            } else {
              count.pointee.failure = message.pointee.err
            }
          }, count)
      }
      guard calls > 0 else {
        throw BenchmarkFailure("nothing more came of \(name) after \(count.messages) messages")
      }
    }
    guard let failure = count.failure, failure == RD_KAFKA_RESP_ERR__PARTITION_EOF else {
      throw BenchmarkFailure(count.failure.map { String(cString: rd_kafka_err2str($0)) } ?? "")
    }
    return (count.messages, count.bytes)
  }

  private struct Count {
    var messages = 0
    var bytes = 0
    var failure: rd_kafka_resp_err_t?
  }

  /// Keeps so many messages under way for `seconds`, each sent when an earlier one was reported.
  func publish(
    to name: String, partition: Int32, inFlight: Int, payloadBytes: Int, seconds: Double
  ) throws -> PublishResult {
    let topic = try topic(name)
    var sentAt = [UInt64](repeating: 0, count: inFlight)
    let keys = (0..<inFlight).map { Array("bench-\($0)".utf8) }
    let payloads = (0..<inFlight).map { samplePayload($0, bytes: payloadBytes) }
    func send(_ index: Int) throws {
      sentAt[index] = wallNanoseconds()
      let code = keys[index].withUnsafeBytes { key in
        payloads[index].withUnsafeBytes { payload in
          rd_kafka_produce(
            topic, partition, RD_KAFKA_MSG_F_COPY,
            UnsafeMutableRawPointer(mutating: payload.baseAddress), payload.count,
            key.baseAddress, key.count, UnsafeMutableRawPointer(bitPattern: index + 1))
        }
      }
      guard code == 0 else { throw BenchmarkFailure("librdkafka takes no message") }
    }

    var result = PublishResult()
    let processor = threadSeconds()
    let end = wallNanoseconds() + UInt64(seconds * 1e9)
    for index in 0..<inFlight { try send(index) }
    var waiting = inFlight
    while waiting > 0 {
      guard let event = rd_kafka_queue_poll(queue, 10_000) else {
        throw BenchmarkFailure("\(waiting) messages were never acknowledged")
      }
      defer { rd_kafka_event_destroy(event) }
      while let message = rd_kafka_event_message_next(event) {
        guard message.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR else {
          throw BenchmarkFailure(String(cString: rd_kafka_err2str(message.pointee.err)))
        }
        let index = Int(bitPattern: message.pointee._private) - 1
        let now = wallNanoseconds()
        guard now <= end else {
          waiting -= 1
          continue
        }
        result.latencies.add(now - sentAt[index])
        result.acknowledged += 1
        try send(index)
      }
    }
    result.seconds = seconds
    result.clientSeconds = threadSeconds() - processor
    return result
  }
}
