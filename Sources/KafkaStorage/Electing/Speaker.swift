internal import EventStorage

/// Speaks in the control topic, and does not wait: what is lost is said again. A client that is of no more use is made again.
///
/// One thread has it.
struct Speaker {
  private let options: KafkaLog.Options
  private let properties: KafkaProperties
  private var client: Client?
  /// What last went wrong; nil once something has arrived since.
  private(set) var trouble: String?

  init(_ options: KafkaLog.Options, _ properties: KafkaProperties) throws(KafkaFailure) {
    self.options = options
    self.properties = properties
    client = try Client(.producer, properties.producer, reports: .queued)
  }

  mutating func say(_ word: [UInt8]?, under key: String) {
    do throws(KafkaFailure) {
      if client == nil {
        client = try Client(.producer, properties.producer, reports: .queued)
      }
      guard let client else { return }
      unsafe try client.produce(
        NewRecord(key: Array(key.utf8), value: word),
        to: try client.topic(options.controlTopic), 0, timestamp: options.now(),
        header: AppendHeader(id: .init(instance: 0, number: 0), following: 0), opaque: 0)
    } catch {
      trouble = error.detail
      if error.kind == .fatal { client = nil }
    }
  }

  /// Hears what became of what was said.
  mutating func hear() {
    guard let client else { return }
    var isDead = false
    while client.takeReports(
      for: .zero,
      { report in
        switch report {
        case .message(let message):
          trouble = message.deliveryFailure?.detail
        case .trouble(let text, let isFatal):
          trouble = text
          if isFatal { isDead = true }
        }
      })
    {}
    if isDead {
      client.purge()
      self.client = nil
    }
  }

  /// Waits until everything has been said, or the time is up.
  mutating func finish(within duration: Duration) {
    let deadline = ContinuousClock.now + duration
    while let client, client.waitingCount > 0, .now < deadline {
      client.takeReports(for: .milliseconds(10)) { _ in }
    }
  }
}
