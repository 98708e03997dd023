internal import EventStorage
internal import KafkaStorage

/// What a letter says, for the trace: two worlds with the same hash have not only moved alike, they have said the same.
extension TraceHash {
  mutating func add(_ letter: Letter) {
    switch letter {
    case .log(let request): add(request)
    case .logAnswer(let answer): add(answer)
    case .kafka(let request): add(request)
    case .kafkaAnswer(let answer): add(answer)
    case .gateway(let request): add(request)
    case .gatewayAnswer(let answer): add(answer)
    case .frames(_, let server, let connection, let number):
      // Heartbeats show a clock of this machine. What the frames say is added by their reader, event by event.
      add(server)
      add(connection)
      add(number)
    case .hangUp(let connection): add(connection)
    }
  }

  mutating func add(_ text: String) {
    add(contentHash(Array(text.utf8)))
  }

  mutating func add(_ bytes: [UInt8]?) { add(bytes.map { contentHash($0) } ?? 0) }

  private mutating func add(_ partition: Partition) {
    add(Int(partition.topic.rawValue) << 16 | partition.index)
  }

  private mutating func add(_ offset: Offset) { add(offset.rawValue) }

  // MARK: The log

  private mutating func add(_ request: LogRequest) {
    switch request {
    case .append(let batch, let partition):
      add(partition)
      for record in batch.records { add(contentOf(record)) }
      add(batch.timestamp)
      add(batch.idempotencyKey ?? "")
      add(Int(batch.writer?.epoch ?? -1))
    case .fence(let writer, let partition):
      add(partition)
      add(writer)
    case .describe: add(0)
    case .fetch(let wanted):
      for (partition, offset) in wanted {
        add(partition)
        add(offset)
      }
    }
  }

  private mutating func add(_ answer: LogAnswer) {
    switch answer {
    case .appended(.success(let appended)):
      add(appended.first)
      add(appended.end)
      add(appended.isRepeat ? 1 : 0)
    case .fenced(.success(let writer)): add(Int(writer.epoch))
    case .appended(.failure(let error)), .fenced(.failure(let error)): add(error.place)
    case .described(let identity, let layout, let bounds):
      add(identity.rawValue)
      add(layout.partitions)
      for (partition, bounds) in bounds {
        add(partition)
        add(bounds)
      }
    case .fetched(let all):
      for fetched in all {
        add(fetched.partition)
        add(fetched.from)
        add(fetched.next)
        add(fetched.bounds)
        add(fetched.failure?.place ?? 0)
        for batch in fetched.batches { add(batch) }
      }
    }
  }

  private mutating func add(_ bounds: LogBounds) {
    add(bounds.start)
    add(bounds.end)
    add(bounds.tombstoneHorizon)
    add(bounds.cleanings)
  }

  private mutating func add(_ batch: ServedBatch) {
    add(batch.next)
    for row in batch.rows {
      add(row.offset)
      add(row.timestamp)
      add(contentOf(row, in: batch.bytes))
    }
  }

  // MARK: The gateway

  private mutating func add(_ request: GatewayRequest) {
    switch request {
    case .publish(let publish):
      add(publish.channel)
      add(publish.key ?? "")
      add(publish.data)
      add(publish.lifetimeMilliseconds ?? 0)
      add(publish.idempotencyKey)
      for more in publish.more {
        add(more.key)
        add(more.data)
      }
    case .read(let channel, let min):
      add(channel)
      add(min ?? "")
    case .subscribe(let channels, let token, let connection, let isSlow):
      for channel in channels { add(channel) }
      add(token ?? "")
      add(connection)
      add(isSlow ? 1 : 0)
    case .taken(let connection): add(connection)
    case .observe(let node, let value):
      add(node)
      add(value)
    }
  }

  private mutating func add(_ answer: GatewayAnswer) {
    switch answer {
    case .published(let end, let partition, let isRepeat):
      add(partition)
      add(end)
      add(isRepeat ? 1 : 0)
    case .view(let view):
      add(view.partition)
      add(view.position)
      add(view.sum)
    case .observed: add(1)
    case .unavailable: add(2)
    case .notReached(let offset): add(offset)
    }
  }

  // MARK: A cluster

  private mutating func add(_ topic: KafkaTopic) {
    switch topic {
    case .log(let partition): add(partition)
    case .control: add(-1)
    }
  }

  private mutating func add(_ life: ProducerLife?) {
    add(life?.id ?? -1)
    add(life?.epoch ?? -1)
  }

  private mutating func add(_ request: KafkaRequest) {
    switch request {
    case .fetch(let wanted, let isolation, let wait, let recordsMax):
      for (topic, offset) in wanted {
        add(topic)
        add(offset)
      }
      add(isolation.rawValue)
      add(wait.microseconds)
      add(recordsMax)
    case .ends(let topics, let isolation):
      for topic in topics { add(topic) }
      add(isolation.rawValue)
    case .offset(let topic, let time):
      add(topic)
      add(time)
    case .begin(let name, let life):
      add(name ?? "")
      add(life)
    case .enlist(let name, let life, let topics):
      add(name)
      add(life)
      for topic in topics { add(topic) }
    case .produce(let topic, let records, let life, let sequence, let name):
      add(topic)
      for record in records {
        add(contentHash(record.key))
        add(record.value)
        add(record.timestamp)
        add(record.header.id.number)
      }
      add(life)
      add(sequence)
      add(name ?? "")
    case .endTransaction(let name, let life, let commits):
      add(name)
      add(life)
      add(commits ? 1 : 0)
    }
  }

  private mutating func add(_ answer: KafkaAnswer) {
    switch answer {
    case .fetched(let all):
      for fetched in all {
        add(fetched.topic)
        add(fetched.from)
        add(fetched.next)
        add(fetched.start)
        add(fetched.end)
        for record in fetched.records {
          add(record.offset)
          add(record.timestamp)
          add(contentHash(record.key))
          add(record.value)
        }
      }
    case .ends(let ends):
      for (start, end) in ends {
        add(start)
        add(end)
      }
    case .offset(let offset): add(offset)
    case .producer(let life): add(life)
    case .produced(let first): add(first)
    case .done: add(1)
    case .refused: add(2)
    }
  }
}

extension LogError {
  /// Which of them it is.
  fileprivate var place: Int {
    switch self {
    case .noSuchPartition: 1
    case .tooLarge: 2
    case .fenced: 3
    case .full: 4
    case .stopped: 5
    case .closed: 6
    case .unavailable: 7
    case .outcomeUnknown: 8
    case .corrupt: 9
    case .trimmed: 10
    case .beyondEnd: 11
    case .cannotOpen: 12
    }
  }
}
