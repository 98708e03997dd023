internal import EventStorage
internal import Synchronization

/// The transactors of an instance, made when they are first needed.
final class Transactors: Sendable {
  private struct State {
    var own: Transactor?
    var writers: [ControlTopic.WriterKey: Transactor] = [:]
    var isClosed = false
  }

  private let options: KafkaLog.Options
  private let properties: KafkaProperties
  private let appends: PendingAppends
  private let tails: TailReader
  private let state = Mutex(State())

  init(
    _ options: KafkaLog.Options, _ properties: KafkaProperties, _ appends: PendingAppends,
    _ tails: TailReader
  ) {
    self.options = options
    self.properties = properties
    self.appends = appends
    self.tails = tails
  }

  /// The one for this append.
  func of(_ pending: PendingAppends.Pending) -> Transactor {
    if let writer = pending.batch.writer { return ofWriter(writer.id, in: pending.partition) }
    return state.withLock { state in
      if let own = state.own { return own }
      let made = make(.instance, "\(options.prefix).\(String(appends.instance, radix: 16))")
      if state.isClosed { made.close() }
      state.own = made
      return made
    }
  }

  func ofWriter(_ id: Int64, in partition: Partition) -> Transactor {
    let key = ControlTopic.WriterKey(id: id, partition)
    return state.withLock { state in
      if let known = state.writers[key] { return known }
      let made = make(.writer(id, partition), "\(options.prefix).\(key.key)")
      if state.isClosed { made.close() }
      state.writers[key] = made
      return made
    }
  }

  private func make(_ owner: Transactor.Owner, _ id: String) -> Transactor {
    Transactor(
      owner, id: id, options, properties, appends, tails,
      ControlTopic(options: options, properties: properties))
  }

  private var all: [Transactor] {
    state.withLock { Array($0.writers.values) + ($0.own.map { [$0] } ?? []) }
  }

  func close() {
    state.withLock { $0.isClosed = true }
    for transactor in all { transactor.close() }
  }

  func waitUntilEnded() {
    for transactor in all { transactor.waitUntilEnded(for: options.requestTimeout) }
  }
}
