internal import EventStorage
internal import Synchronization

/// Appends of one record that no writer is fenced for: idempotent, without a transaction.
///
/// The thread only hears of errors; appends are answered by whoever reads them back.
final class PlainProducer: Sendable {
  private let client: Mutex<Client>
  private let options: KafkaLog.Options
  private let properties: KafkaProperties
  private let appends: PendingAppends
  private let shared = Monitor<Shared>(Shared())

  private struct Shared {
    var isClosed = false
    var hasEnded = false
    var trouble: String?
  }

  init(
    _ options: KafkaLog.Options, _ properties: KafkaProperties, _ appends: PendingAppends
  ) throws(KafkaFailure) {
    self.options = options
    self.properties = properties
    self.appends = appends
    client = Mutex(try Client(.producer, properties.producer, reports: .queued))
  }

  typealias Doubt = @Sendable (UInt64, String) -> Void

  /// - Parameter doubt: told of appends that failed when they may have arrived.
  func start(doubt: @escaping Doubt) {
    startThread(for: "reports of appends") { self.run(doubt) }
  }

  /// Sends an append of one record. Never blocks.
  func send(_ number: UInt64, _ pending: PendingAppends.Pending, by tail: Tail) {
    guard appends.markSent(number) else { return }
    let record = pending.batch.records[0]
    let header = AppendHeader(
      id: appends.id(of: number), following: 0, idempotencyKey: pending.batch.idempotencyKey)
    let client = client.withLock { $0 }
    do throws(KafkaFailure) {
      let topic = unsafe try client.topic(options.topic(pending.partition.topic))
      // The time is given and the record handed over in one step, so that times rise as offsets do.
      try tail.state.withLock { state throws(KafkaFailure) in
        state.newestTime = max(state.newestTime, pending.batch.timestamp)
        unsafe try client.produce(
          record, to: topic, pending.partition.index, timestamp: state.newestTime, header: header,
          opaque: Int(truncatingIfNeeded: number))
      }
    } catch {
      appends.answer(number, .failure(.unavailable(detail: error.detail)))
    }
  }

  /// Ends the thread. What is under way is given up.
  func close() {
    shared.change { $0.isClosed = true }
    client.withLock { $0 }.wake()
    _ = shared.wait(for: options.requestTimeout * 2) { $0.hasEnded }
  }

  private func run(_ doubt: Doubt) {
    var isDead = false
    while !shared.withLock({ $0.isClosed }) {
      let client = client.withLock { $0 }
      client.takeReports(for: .milliseconds(isDead ? 100 : 500)) { report in
        switch report {
        case .message(let message): hear(message, doubt)
        case .trouble(let text, let isFatal):
          shared.withLock { $0.trouble = text }
          if isFatal { isDead = true }
        }
      }
      if isDead, replace(client, doubt) { isDead = false }
    }
    shared.change { $0.hasEnded = true }
  }

  private func hear(_ message: Message, _ doubt: Doubt) {
    let number = UInt64(message.opaque)
    guard let failure = message.deliveryFailure else {
      // It is not known where a record is that the broker had already.
      if message.offset >= .zero { appends.markReported(number, at: message.offset) }
      return
    }
    if failure.isTooLarge {
      // One record: smaller ones go on. How much less the broker takes, it does not say.
      let size = appends[number]?.bytes ?? 0
      appends.answer(
        number,
        .failure(
          .tooLarge(
            what: "the record, which the broker refuses (raise max.message.bytes of the topic to "
              + "\(KafkaProperties.messageBytesMax))", size: size, limit: max(0, size - 1))))
    } else if message.wasNeverSent {
      let trouble = shared.withLock { $0.trouble }
      appends.answer(
        number, .failure(.unavailable(detail: "\(failure.detail), \(trouble ?? "no answer")")))
    } else {
      doubt(number, failure.detail)
    }
  }

  /// After a fatal error a client is of no more use. What it had under way is in doubt.
  /// - Returns: false when there is no other client yet.
  private func replace(_ dead: Client, _ doubt: Doubt) -> Bool {
    guard let fresh = try? Client(.producer, properties.producer, reports: .queued) else {
      return false
    }
    // First, so that nothing more is given to the dead one than what was on its way there.
    client.withLock { $0 = fresh }
    dead.purge()
    let deadline = ContinuousClock.now + options.requestTimeout
    while dead.waitingCount > 0, .now < deadline {
      dead.takeReports(for: .milliseconds(10)) { report in
        if case .message(let message) = report { hear(message, doubt) }
      }
    }
    return true
  }
}
