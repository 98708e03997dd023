internal import CRdKafka

/// What librdkafka says went wrong, in the classes that it means.
struct KafkaFailure: Error, Sendable {
  /// What is to be done about it.
  enum Class: Sendable {
    /// The same call may succeed later.
    case retriable
    /// The transaction must be aborted; the client goes on.
    case abort
    /// A newer client has this transactional id; this one writes nothing any more.
    case fenced
    /// The client is of no more use.
    case fatal
    /// None of these: this call failed.
    case failed
  }

  let code: rd_kafka_resp_err_t
  let detail: String
  let kind: Class

  init(_ code: rd_kafka_resp_err_t, _ detail: String? = nil) {
    self.code = code
    let text = unsafe String(cString: rd_kafka_err2str(code))
    let name = unsafe String(cString: rd_kafka_err2name(code))
    self.detail = "\(detail ?? text) (\(name))"
    switch code {
    case RD_KAFKA_RESP_ERR__FENCED, RD_KAFKA_RESP_ERR_PRODUCER_FENCED,
      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH:
      kind = .fenced
    case RD_KAFKA_RESP_ERR__FATAL: kind = .fatal
    case let code where KafkaFailure.retriable.contains(code.rawValue): kind = .retriable
    default: kind = .failed
    }
  }

  /// Takes the error object and frees it; nil when there is none.
  init?(taking error: OpaquePointer?) {
    guard let error = unsafe error else { return nil }
    defer { unsafe rd_kafka_error_destroy(error) }
    code = unsafe rd_kafka_error_code(error)
    let text = unsafe String(cString: rd_kafka_error_string(error))
    let name = unsafe String(cString: rd_kafka_error_name(error))
    detail = "\(text) (\(name))"
    if KafkaFailure(code).kind == .fenced {
      kind = .fenced
    } else if unsafe rd_kafka_error_is_fatal(error) != 0 {
      kind = .fatal
    } else if unsafe rd_kafka_error_txn_requires_abort(error) != 0 {
      kind = .abort
    } else if unsafe rd_kafka_error_is_retriable(error) != 0 {
      kind = .retriable
    } else {
      // librdkafka: an error of a transaction that is neither retriable nor abortable is fatal.
      kind = .fatal
    }
  }

  static func noAnswer(_ trouble: String?) -> KafkaFailure {
    KafkaFailure(RD_KAFKA_RESP_ERR__TIMED_OUT, trouble ?? "the broker does not answer")
  }

  /// True when bytes on the broker are not what was written.
  var isDamage: Bool {
    code == RD_KAFKA_RESP_ERR__BAD_MSG || code == RD_KAFKA_RESP_ERR_INVALID_MSG
      || code == RD_KAFKA_RESP_ERR__BAD_COMPRESSION
  }

  var isTooLarge: Bool {
    code == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || code == RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE
  }

  /// True when the broker holds nothing at the offset that was asked for.
  var isOutOfRange: Bool {
    code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE
  }

  /// What goes away by itself when the brokers are reachable, elected and awake again.
  private static let retriable: Set<Int32> = Set(
    [
      RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR__TIMED_OUT, RD_KAFKA_RESP_ERR__RESOLVE,
      RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__WAIT_COORD,
      RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, RD_KAFKA_RESP_ERR__QUEUE_FULL,
      RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, RD_KAFKA_RESP_ERR__WAIT_CACHE,
      RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
      RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
      RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
      RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
      RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_PREFERRED_LEADER_NOT_AVAILABLE, RD_KAFKA_RESP_ERR_NOT_CONTROLLER,
      RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS, RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED,
      RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART,
    ].map(\.rawValue))
}
