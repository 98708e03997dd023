package import EventStorage
internal import Synchronization

/// The log on Kafka: four topics of records, and one of what the log knows of itself. Any number of instances share it.
///
///     append ─▶ Preparation ─▶ PlainProducer ─▶ broker ─▶ TailReader ─▶ answer
///                    └───────▶ Transactor ──────▲            └────────▶ records for readers at the end
///                                                       RangeReader ──▶ records from further back
///
/// An append is answered when its records have come back: then they are durable, and here as anywhere they can be read.
package final class KafkaLog: EventLog {
  package let identity: LogIdentity
  package let layout: LogLayout
  let options: Options
  let appends: PendingAppends
  let tails: TailReader
  let pool: ReaderPool
  private let pulse: Pulse
  private let plain: PlainProducer
  private let preparation: Preparation
  private let deadlines: Deadlines
  private let transactors: Transactors
  private let properties: KafkaProperties
  private let candidates = Mutex<[Candidate]>([])

  /// Opens the log, or makes its topics. Blocks while it asks the broker.
  package init(_ options: Options) throws(LogError) {
    let properties = try KafkaProperties(options)
    (identity, layout) = try TopicSetup(options, properties).open()
    self.options = options
    self.properties = properties
    let appends = PendingAppends(
      instance: UInt64.random(in: .min ... .max), timeout: options.appendTimeout)
    do throws(KafkaFailure) {
      let tails = try TailReader(layout, options, properties, appends)
      let pool = ReaderPool(options, properties)
      let transactors = Transactors(options, properties, appends, tails)
      let plain = try PlainProducer(options, properties, appends)
      let preparation = Preparation(options, appends, tails, pool) { number, pending, tail in
        if pending.batch.records.count == 1 && pending.batch.writer == nil {
          plain.send(number, pending, by: tail)
        } else {
          transactors.of(pending).send(number)
        }
      }
      self.appends = appends
      self.tails = tails
      pulse = Pulse(tails, options)
      self.pool = pool
      self.transactors = transactors
      self.plain = plain
      self.preparation = preparation
      deadlines = Deadlines(appends, tails)
    } catch {
      throw .cannotOpen(
        path: options.url, reason: error.detail, remedy: "check the properties of librdkafka")
    }
    tails.start()
    pulse.start()
    plain.start(doubt: preparation.doubt)
    preparation.start()
    deadlines.start()
  }

  deinit { close() }

  /// What about the topics is not as it must or should be, whether or not the log can be opened.
  package static func findings(_ options: Options) throws(LogError) -> [TopicFinding] {
    try TopicSetup(options, KafkaProperties(options)).findings()
  }

  /// The other log is here, whole: from now on everybody may open this one.
  package func finishTakeover() throws(LogError) {
    try ControlTopic(options: options, properties: properties)
      .put(moving: nil, into: identity)
  }

  package func append(
    _ batch: AppendBatch, to partition: Partition,
    completion: @escaping @Sendable (Result<Appended, LogError>) -> Void
  ) {
    do throws(LogError) {
      let tail = try tails.follow(partition)
      if let breach = tail.breach { throw breach }
      try batch.checkLimits()
      let number = try appends.admit(batch, to: partition, completion)
      guard let pending = appends[number] else { return }
      tails.pace.hurry()
      // Nobody else writes to a log that takes another one over.
      let mayBeRepeat = batch.idempotencyKey != nil && options.takeover == nil
      if batch.writer != nil, batch.idempotencyKey == nil {
        transactors.of(pending).send(number)
      } else if mayBeRepeat || !tail.isReady {
        preparation.take(number, in: partition, for: .send)
      } else if batch.records.count == 1 {
        plain.send(number, pending, by: tail)
      } else {
        transactors.of(pending).send(number)
      }
    } catch {
      completion(.failure(error))
    }
  }

  package func fence(writer id: Int64, in partition: Partition) async throws(LogError) -> Writer {
    guard layout.all.contains(partition) else { throw .noSuchPartition(partition) }
    let transactor = transactors.ofWriter(id, in: partition)
    let result = await withCheckedContinuation { continuation in
      transactor.fence { continuation.resume(returning: $0) }
    }
    return try result.get()
  }

  package func candidacy(forWriter id: Int64) throws(LogError) -> any Candidacy {
    do throws(KafkaFailure) {
      let candidate = try Candidate(
        forWriter: id, name: appends.instance, options, properties)
      candidates.withLock { $0.append(candidate) }
      return candidate
    } catch {
      throw .unavailable(detail: error.detail)
    }
  }

  package func close() {
    guard appends.close() else { return }
    for candidate in candidates.withLock({ $0 }) { candidate.withdraw() }
    transactors.close()
    preparation.close()
    // Under way: until they are answered, or nobody can wait any longer.
    _ = appends.waitUntilEmpty(for: options.requestTimeout)
    plain.close()
    transactors.waitUntilEnded()
    pulse.close()
    tails.close()
    pool.close()
    deadlines.close()
    for (number, pending) in appends.all {
      let detail = "the log was closed with the append under way"
      appends.answer(
        number, .failure(pending.isUnsent ? .closed : .outcomeUnknown(detail: detail)))
    }
  }
}
