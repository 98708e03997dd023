package import EventStorage
internal import Glibc

extension KafkaLog {
  /// How a log on Kafka is opened and kept.
  package struct Options: Sendable {
    /// `host:port`, several separated by commas.
    package var brokers: String
    /// What the names of the topics begin with.
    package var prefix = "signalbox"
    /// Partitions per topic. Nil takes existing topics as they are, and makes new ones with 2; another number than existing topics
    /// have is an error.
    package var partitions: Int?
    /// Copies that the brokers keep of new topics; nil leaves it to them. With three or more, two at least must have a record before it
    /// is acknowledged.
    package var replicationFactor: Int?
    /// Properties of librdkafka, such as those for TLS and SASL. They go before ours, but for those in `KafkaProperties.ours`.
    package var properties: [String: String] = [:]
    /// Configuration for topics that are made now, besides what they must have.
    package var topicConfiguration: [String: String] = [:]
    /// Whether a log that is not there is made; otherwise that is an error.
    package var makesTopics = true
    /// The log that is being moved into this one: until that has come to its end nobody else opens it.
    package var takeover: Takeover?
    /// Whether topics are made and their configuration is checked. For clusters that let nobody ask: take them as they are.
    package var managesTopics = true

    /// After so long an append is answered, whatever is known of it then: refused, or its outcome called unknown.
    package var appendTimeout = Duration.seconds(10)
    /// After so long a question to the broker is given up: two of them fit into an append's time, unless it is set.
    package var requestTimeout: Duration {
      get { givenRequestTimeout ?? min(.seconds(10), appendTimeout / 2) }
      set { givenRequestTimeout = newValue }
    }
    private var givenRequestTimeout: Duration?
    /// After so long the broker ends a transaction whose client is gone. Until then nobody reads behind it.
    package var transactionTimeout = Duration.seconds(15)
    /// A writer that was elected and is not heard of for so long is replaced. The same for all instances of a log.
    package var sessionTimeout = Duration.seconds(6)
    /// Idempotency keys count when their append is among so many newest offsets of its partition.
    package var idempotencyOffsets = Int64(LogLimits.idempotencyKeysMax)
    /// Bytes of the newest records that are kept of each partition that is followed.
    package var cachedBytesMax = 4 << 20
    /// Ranges that are read from the broker at once; further reads wait.
    package var readersMax = 4
    /// A partition that nobody has asked for during so long is no longer followed.
    package var followingIdle = Duration.seconds(60)

    /// Tombstones stay readable for this long at least.
    package var tombstoneRetention = Duration.seconds(7 * 24 * 3600)
    /// Records, and with them idempotency keys, are not compacted before. Clocks may differ by so much.
    package var compactionLag = Duration.seconds(3600)
    /// Observations go after this.
    package var observationsRetention = Duration.seconds(24 * 3600)
    /// Milliseconds since 1970. Retention is the only thing that asks.
    package var now: @Sendable () -> Int64 = wallClock

    package enum Takeover: Sendable {
      /// Into a log that is made now.
      case begin(LogIdentity)
      /// Everything is there, and the other log is sealed.
      case finish(LogIdentity)
    }

    package init(brokers: String) { self.brokers = brokers }

    /// How errors name the log.
    package var url: String { "kafka://\(brokers)?prefix=\(prefix)" }

    /// For so long an append is tried; in the rest of its time is found out whether it arrived after all. librdkafka looks once a second
    /// which records are overdue.
    var sendTimeout: Duration { max(appendTimeout / 2, appendTimeout - .seconds(2)) }

    func topic(_ topic: Topic) -> String { "\(prefix).\(topic.name)" }
    /// Which log this is, and which writers are in: what the log knows of itself.
    var controlTopic: String { "\(prefix).control" }
  }
}

private func wallClock() -> Int64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
