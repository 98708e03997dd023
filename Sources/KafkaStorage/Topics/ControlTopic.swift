internal import EventStorage

/// What the log knows of itself, in a small compacted topic of one partition:
///
///     log/<identity>                    how many partitions it has; the first of these records is the log's
///     writer/<topic>/<partition>/<id>   the newest epoch of a writer
///     moving/<identity>                 the log that is being moved into this one, until that has come to its end
///     candidate/<writer>/<name>         who stands for election as a writer (`Candidate`)
///
/// Whoever opens a log without an identity offers one, under a key of its own so that compaction keeps every offer; the one with the
/// lowest offset holds, for all instances and for ever. Whoever moves a log in says so of the identity that it is going to offer, before
/// it does: so it holds from the first moment on if that one wins, and means nothing if another one does.
struct ControlTopic: Sendable {
  struct WriterKey: Hashable, Sendable {
    let id: Int64
    let partition: Partition
    init(id: Int64, _ partition: Partition) {
      self.id = id
      self.partition = partition
    }
    var key: String { "writer/\(partition)/\(id)" }
  }

  struct Content: Sendable {
    var identity: LogIdentity?
    var partitions: Int?
    var lives: [WriterKey: Int16] = [:]
    fileprivate var sources: [LogIdentity: LogIdentity] = [:]

    /// The log that is being moved into this one.
    var moving: LogIdentity? { identity.flatMap { sources[$0] } }
  }

  let options: KafkaLog.Options
  let properties: KafkaProperties

  /// Reads it to its end, as that is now.
  func read() throws(LogError) -> Content {
    do throws(KafkaFailure) {
      let client = try Client(.consumer, properties.controlReader)
      let name = options.controlTopic
      let (start, end) = try client.watermarks(of: name, 0, within: options.requestTimeout)
      var content = Content()
      if start == end { return content }
      try client.startReading(name, partition: 0, from: start)
      defer { client.stopReading(name, partition: 0) }
      var room = MessageRoom()
      var isDone = false
      var failure: KafkaFailure?
      while !isDone {
        let came = room.turn(of: client, for: options.requestTimeout) { message in
          if message.isRecord {
            content.take(message)
            isDone = message.offset.rawValue + 1 >= end.rawValue
          } else if message.isEnd {
            isDone = true
          } else {
            failure = message.failure
            isDone = true
          }
          return isDone ? .enough : .next
        }
        if let failure { throw failure }
        if !came { throw KafkaFailure.noAnswer(client.takeErrors()?.text) }
      }
      return content
    } catch {
      throw .unavailable(detail: "\(options.controlTopic): \(error.detail)")
    }
  }

  /// Offers an identity, and says which holds.
  func settle(_ offer: LogIdentity, partitions: Int) throws(LogError) -> Content {
    let content = try read()
    if content.identity != nil { return content }
    try put("log/\(offer)", "\(partitions)", by: offer.rawValue)
    return try read()
  }

  /// Says which log is being moved into the one of this identity, or that none is any more.
  func put(moving source: LogIdentity?, into identity: LogIdentity) throws(LogError) {
    try put("moving/\(identity)", source.map { "\($0)" }, by: identity.rawValue)
  }

  /// Writes a record and waits until it is durable.
  private func put(_ key: String, _ value: String?, by instance: UInt64) throws(LogError) {
    do throws(KafkaFailure) {
      let client = try Client(.producer, properties.producer, reports: .queued)
      unsafe try client.produce(
        NewRecord(key: Array(key.utf8), value: value.map { Array($0.utf8) }),
        to: try client.topic(options.controlTopic), 0, timestamp: options.now(),
        header: AppendHeader(id: .init(instance: instance, number: 0), following: 0), opaque: 0)
      let deadline = ContinuousClock.now + options.requestTimeout
      var failure: KafkaFailure?
      var isDone = false
      while !isDone {
        if .now > deadline { throw KafkaFailure.noAnswer(nil) }
        client.takeReports(for: .milliseconds(100)) { report in
          guard case .message(let message) = report else { return }
          failure = message.deliveryFailure
          isDone = true
        }
      }
      if let failure { throw failure }
    } catch {
      throw .unavailable(detail: "\(options.controlTopic): \(error.detail)")
    }
  }

  /// Writes the newest life of a writer in a transaction of its client; false when that client has been fenced meanwhile.
  func write(
    life: Int16, of id: Int64, in partition: Partition, by client: Client
  ) throws(LogError) -> Bool {
    do throws(KafkaFailure) {
      try client.beginTransaction()
      unsafe try client.produce(
        NewRecord(
          key: Array(WriterKey(id: id, partition).key.utf8), value: Array("\(life)".utf8)),
        to: try client.topic(options.controlTopic), 0, timestamp: options.now(),
        header: AppendHeader(
          id: .init(instance: UInt64(bitPattern: id), number: UInt64(life)), following: 0),
        opaque: 0)
      try client.commitTransaction(within: options.requestTimeout)
      return true
    } catch {
      if error.kind == .fenced { return false }
      throw .unavailable(detail: "\(options.controlTopic): \(error.detail)")
    }
  }
}

extension ControlTopic.Content {
  fileprivate mutating func take(_ message: Message) {
    let key = unsafe String(decoding: message.key, as: UTF8.self)
    let text = unsafe message.value.map { unsafe String(decoding: $0, as: UTF8.self) } ?? ""
    let parts = key.split(separator: "/")
    if parts.count == 2, parts[0] == "moving", let target = LogIdentity(String(parts[1])) {
      sources[target] = LogIdentity(text)
    } else if parts.count == 2, parts[0] == "log", identity == nil {
      identity = LogIdentity(String(parts[1]))
      partitions = Int(text)
    } else if parts.count == 4, parts[0] == "writer", let epoch = Int16(text),
      let topic = Topic.allCases.first(where: { $0.name == parts[1] }),
      let index = Int(parts[2]), let id = Int64(parts[3])
    {
      let writer = ControlTopic.WriterKey(id: id, Partition(topic, index))
      lives[writer] = max(lives[writer] ?? epoch, epoch)
    }
  }
}
