internal import CRdKafka
internal import EventStorage

/// A message as librdkafka lends it: valid while it is lent, and not to be kept.
@safe struct Message {
  private let pointer: UnsafeMutablePointer<rd_kafka_message_t>

  init(_ pointer: UnsafeMutablePointer<rd_kafka_message_t>) { unsafe self.pointer = unsafe pointer }

  /// Nil for a record, and otherwise what is said instead of one.
  var failure: KafkaFailure? {
    let code = unsafe pointer.pointee.err
    if code == RD_KAFKA_RESP_ERR_NO_ERROR { return nil }
    return unsafe KafkaFailure(code, String(cString: rd_kafka_message_errstr(pointer)))
  }

  /// Why a message that was produced did not arrive; nil when it did. librdkafka's text of such a message is its own value.
  var deliveryFailure: KafkaFailure? {
    let code = unsafe pointer.pointee.err
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaFailure(code)
  }

  var isRecord: Bool { unsafe pointer.pointee.err == RD_KAFKA_RESP_ERR_NO_ERROR }
  var isEnd: Bool { unsafe pointer.pointee.err == RD_KAFKA_RESP_ERR__PARTITION_EOF }
  var offset: Offset { unsafe Offset(pointer.pointee.offset) }
  var partition: Int { unsafe Int(pointer.pointee.partition) }
  /// What the topic was tagged with; nil for an event of no topic.
  var tag: Int? {
    guard let topic = unsafe pointer.pointee.rkt else { return nil }
    return unsafe Int(bitPattern: rd_kafka_topic_opaque(topic))
  }
  /// What it was produced with.
  var opaque: Int { unsafe Int(bitPattern: pointer.pointee._private) }

  /// Milliseconds since 1970; 0 when the record has no time.
  var timestamp: Int64 {
    var type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE
    return unsafe max(0, rd_kafka_message_timestamp(pointer, &type))
  }

  /// True when nothing of a message that failed can have reached the log.
  var wasNeverSent: Bool {
    unsafe rd_kafka_message_status(pointer) == RD_KAFKA_MSG_STATUS_NOT_PERSISTED
  }

  var key: UnsafeRawBufferPointer {
    unsafe UnsafeRawBufferPointer(start: pointer.pointee.key, count: pointer.pointee.key_len)
  }

  /// Nil for a tombstone.
  var value: UnsafeRawBufferPointer? {
    guard let payload = unsafe pointer.pointee.payload else { return nil }
    return unsafe UnsafeRawBufferPointer(start: payload, count: pointer.pointee.len)
  }

  /// What the record says of the append that it belongs to.
  var appendHeader: AppendHeader? {
    var headers: OpaquePointer?
    guard
      unsafe rd_kafka_message_headers(pointer, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR,
      let headers = unsafe headers, let batch = unsafe Message.header("batch", of: headers)
    else { return nil }
    return unsafe AppendHeader(
      batch: batch,
      idempotencyKey: Message.header("idempotency-key", of: headers).map {
        unsafe String(decoding: $0, as: UTF8.self)
      })
  }

  private static func header(
    _ name: String, of headers: OpaquePointer
  ) -> UnsafeRawBufferPointer? {
    var value: UnsafeRawPointer?
    var size = 0
    guard
      unsafe rd_kafka_header_get_last(headers, name, &value, &size)
        == RD_KAFKA_RESP_ERR_NO_ERROR
    else { return nil }
    return unsafe UnsafeRawBufferPointer(start: value, count: size)
  }
}

/// Messages that were taken from a client and not yet lent. Frees what it was given.
@safe struct MessageRoom: ~Copyable {
  /// What whoever takes messages says to each.
  enum Step {
    case next
    /// Enough; the rest stays here.
    case enough
  }

  static let countMax = 2048
  private let pointers: UnsafeMutablePointer<UnsafeMutablePointer<rd_kafka_message_t>?>
  private var count = 0
  private var lent = 0

  init() { unsafe pointers = .allocate(capacity: MessageRoom.countMax) }

  deinit {
    for index in lent..<count { unsafe rd_kafka_message_destroy(pointers[index]) }
    unsafe pointers.deallocate()
  }

  /// Drops what is here.
  mutating func empty() {
    for index in lent..<count { unsafe rd_kafka_message_destroy(pointers[index]) }
    lent = 0
    count = 0
  }

  /// Lends what is here; when there is nothing, waits for a message and takes what else has come with it.
  /// - Returns: whether there was a message before the time was up or somebody woke the queue.
  mutating func turn(
    of client: Client, for duration: Duration, _ body: (Message) -> Step
  ) -> Bool {
    if lent == count {
      // A batch call waits its whole time unless the batch is full: so one by itself first, then what is there at once.
      guard let first = unsafe rd_kafka_consume_queue(client.queue, duration.milliseconds) else {
        return false
      }
      unsafe pointers[0] = unsafe first
      let more = unsafe rd_kafka_consume_batch_queue(
        client.queue, 0, pointers + 1, MessageRoom.countMax - 1)
      lent = 0
      count = 1 + max(0, more)
    }
    while lent < count, let message = unsafe pointers[lent] {
      let step = unsafe body(Message(message))
      unsafe rd_kafka_message_destroy(message)
      lent += 1
      if step == .enough { break }
    }
    return true
  }
}
