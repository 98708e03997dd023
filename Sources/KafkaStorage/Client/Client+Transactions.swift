internal import CRdKafka

/// Each call blocks for its time at most, and throws in librdkafka's classes.
extension Client {
  /// Keeps every older client with this transactional id out, and ends what it had begun.
  func initTransactions(within duration: Duration) throws(KafkaFailure) {
    unsafe try Client.check(rd_kafka_init_transactions(handle, duration.milliseconds))
  }

  func beginTransaction() throws(KafkaFailure) {
    unsafe try Client.check(rd_kafka_begin_transaction(handle))
  }

  func commitTransaction(within duration: Duration) throws(KafkaFailure) {
    unsafe try Client.check(rd_kafka_commit_transaction(handle, duration.milliseconds))
  }

  func abortTransaction(within duration: Duration) throws(KafkaFailure) {
    unsafe try Client.check(rd_kafka_abort_transaction(handle, duration.milliseconds))
  }

  private static func check(_ error: OpaquePointer?) throws(KafkaFailure) {
    if let failure = unsafe KafkaFailure(taking: error) { throw failure }
  }
}
