internal import CRdKafka
internal import EventStorage
internal import Synchronization

/// One client of librdkafka. Owns its pointer, its queue and the topics it has named, and frees them.
///
/// Sendable because librdkafka lets every thread use a handle, and `topics` has a lock of its own.
@safe final class Client: @unchecked Sendable {
  enum Kind { case producer, consumer }

  let handle: OpaquePointer
  /// What consumers are sent; for producers, what happens to their messages.
  let queue: OpaquePointer
  private let topics = Mutex<[String: TopicHandle]>([:])
  /// Kept for as long as the client lives, which refers to it.
  private let pace: FetchPace?

  /// A handle of a topic; its owner frees it. Sendable as the client is.
  @safe private struct TopicHandle: @unchecked Sendable { let pointer: OpaquePointer }

  /// Whether a producer says what became of each message.
  enum Reports {
    case none
    /// As events on `queue`.
    case queued
    /// To nobody; but a flush, and with it a commit, wakes with the last of them instead of looking every 10 ms.
    case unheard
  }

  init(
    _ kind: Kind, _ properties: [String: String], reports: Reports = .none,
    pace: FetchPace? = nil
  ) throws(KafkaFailure) {
    self.pace = pace
    let conf: OpaquePointer = unsafe rd_kafka_conf_new()
    var text = [CChar](repeating: 0, count: 512)
    for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
      guard unsafe rd_kafka_conf_set(conf, name, value, &text, text.count) != RD_KAFKA_CONF_OK
      else { continue }
      unsafe rd_kafka_conf_destroy(conf)
      throw KafkaFailure(RD_KAFKA_RESP_ERR__INVALID_ARG, Client.string(text))
    }
    // Errors come as events and with the calls; a program that wants librdkafka's log asks for it.
    if properties["debug"] == nil, properties["log_level"] == nil {
      unsafe rd_kafka_conf_set_log_cb(conf, nil)
    }
    if let pace { unsafe pace.pace(conf) }
    var events = RD_KAFKA_EVENT_ERROR
    if reports == .queued { events |= RD_KAFKA_EVENT_DR }
    if reports == .unheard { unsafe rd_kafka_conf_set_dr_msg_cb(conf) { _, _, _ in } }
    unsafe rd_kafka_conf_set_events(conf, events)
    let type = kind == .producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER
    // On success rd_kafka_new takes the conf; on failure it is still ours to free.
    guard let made = unsafe rd_kafka_new(type, conf, &text, text.count) else {
      unsafe rd_kafka_conf_destroy(conf)
      throw KafkaFailure(RD_KAFKA_RESP_ERR__INVALID_ARG, Client.string(text))
    }
    unsafe handle = made
    unsafe queue = kind == .producer ? rd_kafka_queue_get_main(made) : rd_kafka_queue_new(made)
  }

  deinit {
    topics.withLock { topics in
      for topic in topics.values { unsafe rd_kafka_topic_destroy(topic.pointer) }
    }
    unsafe rd_kafka_queue_destroy(queue)
    unsafe rd_kafka_destroy(handle)
  }

  /// The topic of this name; messages from it carry `tag`.
  func topic(_ name: String, tag: Int = 0) throws(KafkaFailure) -> OpaquePointer {
    let topic = topics.withLock { topics -> TopicHandle? in
      if let known = topics[name] { return known }
      let conf = unsafe rd_kafka_default_topic_conf_dup(handle)
      unsafe rd_kafka_topic_conf_set_opaque(conf, UnsafeMutableRawPointer(bitPattern: tag))
      guard let made = unsafe rd_kafka_topic_new(handle, name, conf) else { return nil }
      let topic = unsafe TopicHandle(pointer: made)
      topics[name] = topic
      return topic
    }
    guard let topic else { throw KafkaFailure(rd_kafka_last_error(), "topic \(name)") }
    return unsafe topic.pointer
  }

  /// Wakes whoever waits on the queue.
  func wake() { unsafe rd_kafka_queue_yield(queue) }

  /// The version of librdkafka that is linked.
  static var libraryVersion: String { unsafe String(cString: rd_kafka_version_str()) }

  static func string(_ bytes: [CChar]) -> String {
    String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Duration {
  /// Rounded up, so that a wait is never shorter; within what librdkafka takes.
  var milliseconds: Int32 {
    let (seconds, attoseconds) = max(self, .zero).components
    guard seconds < 2_000_000 else { return 2_000_000_000 }
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
