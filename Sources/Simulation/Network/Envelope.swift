internal import EventStorage

/// A process of the world, by its place in the list of them.
typealias ProcessID = Int

/// Something on its way from one process to another.
struct Envelope {
  var from: ProcessID
  var to: ProcessID
  /// Which request this is, or answers. Never used again, also not by a later life of the process.
  var request: UInt64
  var letter: Letter
}

/// What processes say to each other.
enum Letter {
  case log(LogRequest)
  case logAnswer(LogAnswer)
  case kafka(KafkaRequest)
  case kafkaAnswer(KafkaAnswer)
  case gateway(GatewayRequest)
  case gatewayAnswer(GatewayAnswer)
  /// A piece of a stream.
  /// `server` is the life of the gateway that sends them: a connection does not outlive it, even when its opening arrives twice.
  case frames([UInt8], server: UInt64, connection: UInt64, number: Int)
  /// The stream was ended, by whoever serves it or by the client.
  case hangUp(connection: UInt64)
}

/// What a log can be asked, whatever kind of log it is. A `LogPort` takes it there.
enum LogRequest {
  case append(AppendBatch, to: Partition)
  case fence(writer: Int64, in: Partition)
  case describe
  /// Waits for a while when there is nothing new.
  case fetch([(partition: Partition, from: Offset)])
}

enum LogAnswer {
  case appended(Result<Appended, LogError>)
  case fenced(Result<Writer, LogError>)
  case described(identity: LogIdentity, layout: LogLayout, bounds: [(Partition, LogBounds)])
  case fetched([Fetched])
}

/// What a log has of one partition.
struct Fetched {
  var partition: Partition
  /// From where it was read, which may be before what was asked for.
  var from: Offset
  var batches: [ServedBatch]
  var next: Offset
  var bounds: LogBounds
  var failure: LogError?
}

/// What a client or a node asks of an instance.
enum GatewayRequest {
  case publish(PublishRequest)
  /// The state of a channel that reflects at least this position.
  case read(channel: String, min: String?)
  case subscribe(channels: [String], token: String?, connection: UInt64, isSlow: Bool)
  /// A client of a slow stream has taken everything that was sent.
  case taken(connection: UInt64)
  /// What a node says of itself; goes into the log as it is.
  case observe(node: String, value: [UInt8])
}

struct PublishRequest {
  var channel: String
  var key: String?
  /// Nil deletes.
  var data: [UInt8]?
  var lifetimeMilliseconds: Int64?
  var idempotencyKey: String
  /// Messages under further keys, which are there together with it or not at all.
  var more: [More] = []

  struct More {
    var key: String
    var data: [UInt8]
  }
}

enum GatewayAnswer {
  /// The position behind the message.
  case published(Offset, in: Partition, isRepeat: Bool)
  case view(EncodedView)
  case observed
  /// Try again, here or elsewhere.
  case unavailable
  /// The position was not reached in time; this one was.
  case notReached(Offset)
}

/// A channel as a read shows it, summed up.
struct EncodedView {
  var partition: Partition
  var position: Offset
  var sum: UInt64
}
