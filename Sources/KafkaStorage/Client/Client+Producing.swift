internal import CRdKafka
internal import EventStorage

extension Client {
  /// Hands a record over to be sent. Never blocks.
  func produce(
    _ record: NewRecord, to topic: OpaquePointer, _ partition: Int, timestamp: Int64,
    header: AppendHeader, opaque: Int
  ) throws(KafkaFailure) {
    let headers: OpaquePointer = unsafe rd_kafka_headers_new(2)
    unsafe Client.add("batch", header.encodedBatch, to: headers)
    if let key = header.idempotencyKey {
      unsafe Client.add("idempotency-key", Array(key.utf8), to: headers)
    }
    let empty: [UInt8] = [0]
    let code = unsafe record.key.withUnsafeBytes { key in
      unsafe (record.value.map { $0.isEmpty ? empty : $0 } ?? empty).withUnsafeBytes { value in
        unsafe signalbox_produce(
          handle, topic, Int32(partition), key.baseAddress, key.count,
          record.value == nil ? nil : value.baseAddress, record.value?.count ?? 0, timestamp,
          headers, UnsafeMutableRawPointer(bitPattern: opaque))
      }
    }
    guard code == RD_KAFKA_RESP_ERR_NO_ERROR else { throw KafkaFailure(code) }
  }

  private static func add(_ name: String, _ value: [UInt8], to headers: OpaquePointer) {
    let code = unsafe value.withUnsafeBytes { bytes in
      unsafe rd_kafka_header_add(headers, name, -1, bytes.baseAddress, bytes.count)
    }
    precondition(code == RD_KAFKA_RESP_ERR_NO_ERROR, "header \(name) could not be added: \(code)")
  }

  /// Waits until nothing is under way, or the time is up.
  func flush(within duration: Duration) {
    unsafe _ = rd_kafka_flush(handle, duration.milliseconds)
  }

  /// What is still waiting or under way fails.
  func purge() {
    unsafe _ = rd_kafka_purge(handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT)
  }

  /// Messages that librdkafka holds.
  var waitingCount: Int { unsafe Int(rd_kafka_outq_len(handle)) }

  /// What a producer's queue has to say.
  enum Report {
    /// This message arrived, or failed.
    case message(Message)
    case trouble(String, isFatal: Bool)
  }

  /// Waits for reports and lends them.
  /// - Returns: false when none came.
  @discardableResult
  func takeReports(for duration: Duration, _ body: (Report) -> Void) -> Bool {
    guard let event = unsafe rd_kafka_queue_poll(queue, duration.milliseconds) else {
      return false
    }
    defer { unsafe rd_kafka_event_destroy(event) }
    switch unsafe rd_kafka_event_type(event) {
    case RD_KAFKA_EVENT_DR:
      while let message = unsafe rd_kafka_event_message_next(event) {
        unsafe body(.message(Message(UnsafeMutablePointer(mutating: message))))
      }
    case RD_KAFKA_EVENT_ERROR:
      let (text, isFatal) = unsafe Client.error(of: event)
      body(.trouble(text, isFatal: isFatal))
    default: break
    }
    return true
  }
}
